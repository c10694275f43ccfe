/** Name of the plugin's directory under `plugins/`. */
export const pluginName = 'sluice-test-server';

/** Text of the plugin's descriptor file. */
export function pluginDescriptor(version: string): string {
  return [
    'description=What the tests need and the server-only distribution leaves out',
    `name=${pluginName}`,
    `version=${version}`,
    `elasticsearch.version=${version}`,
    'java.version=17',
    'classname=sluice.TestServerPlugin',
    '',
  ].join('\n');
}

/** Java source of a small Elasticsearch plugin, for major version 8 or 9.
 *
 *  The distribution that Maven serves is the real server without most of its modules. The plugin
 *  puts back what clients and the tests need: GET and HEAD of `/` (product check, ping), and the
 *  analysis parts that the security index asks for, without which no API key can be made. */
export function pluginSource(major: 8 | 9): string {
  return `package sluice;

import java.util.*;
import java.util.function.*;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.miscellaneous.RemoveDuplicatesTokenFilter;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.elasticsearch.Build;
import org.elasticsearch.ElasticsearchException;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.analysis.*;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.*;
import org.elasticsearch.rest.*;
import org.elasticsearch.xcontent.XContentBuilder;

public class TestServerPlugin extends Plugin implements ActionPlugin, AnalysisPlugin {
    // This class and its subclasses wait for each other when two threads initialise them at
    // once. A full server loads it while it starts; this one would at its first two errors,
    // and then never answer again.
    static {
        new ElasticsearchException("loaded early");
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
${restHandlersParameters[major]}
            Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> supports) {
        return List.of(new RootHandler(${major === 8 ? 'settings' : 'services.settings()'}));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of("pattern_capture", (index, environment, name, settings) -> capture(name, settings));
    }

    @Override
    public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(PreConfiguredTokenFilter.singleton("unique", false, RemoveDuplicatesTokenFilter::new));
    }

    @Override
    public List<PreConfiguredTokenizer> getPreConfiguredTokenizers() {
        return List.of(PreConfiguredTokenizer.singleton("uax_url_email", UAX29URLEmailTokenizer::new));
    }

    private static TokenFilterFactory capture(String name, Settings settings) {
        boolean preserve = settings.getAsBoolean("preserve_original", true);
        List<Pattern> patterns = new ArrayList<>();
        for (String expression : settings.getAsList("patterns")) patterns.add(Pattern.compile(expression));
        return new TokenFilterFactory() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public TokenStream create(TokenStream input) {
                return new PatternCaptureGroupTokenFilter(input, preserve, patterns.toArray(new Pattern[0]));
            }
        };
    }

    private static class RootHandler extends BaseRestHandler {
        private final String node;
        private final String cluster;

        RootHandler(Settings settings) {
            node = Node.NODE_NAME_SETTING.get(settings);
            cluster = ClusterName.CLUSTER_NAME_SETTING.get(settings).value();
        }

        @Override
        public String getName() {
            return "sluice_root";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> {
                Build build = Build.current();
                XContentBuilder body = channel.newBuilder().startObject();
                body.field("name", node).field("cluster_name", cluster);
                body.startObject("version").field("number", build.version());
                body.field("build_flavor", build.flavor()).field("build_hash", build.hash()).endObject();
                body.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, body));
            };
        }
    }
}
`;
}

// The one signature that differs between the two majors.
const restHandlersParameters = {
  8: `            Settings settings, org.elasticsearch.common.io.stream.NamedWriteableRegistry writeables,
            RestController controller, org.elasticsearch.common.settings.ClusterSettings clusterSettings,
            org.elasticsearch.common.settings.IndexScopedSettings indexSettings,
            org.elasticsearch.common.settings.SettingsFilter filter,
            org.elasticsearch.cluster.metadata.IndexNameExpressionResolver resolver,`,
  9: '            RestHandlersServices services,',
} as const;
