/** File below `storage.path` that says where a running agent's HTTP interface is. Holds the
 *  token, so only its user may read it. */
export const agentFileName = 'agent.json';
