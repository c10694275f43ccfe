/* A stand-in for wevtapi.dll, which Wine lacks: the part of winevt.h's contract that the winevtlog
 * input uses, over logs in memory that the test fills. It shows marshalling, the order of calls,
 * what becomes of errors, and leaks of handles. It does not show what only Windows can: real RPC,
 * the whole of XPath, rights, publishers' own message files.
 *
 * The test's side: StandInAppend, StandInClear, StandInDropOldest, StandInMessage, StandInFault,
 * StandInHandles. A query is '*', or a text with EventID=N; within a QueryList the first Path and
 * Select count. Opening "Denied" is refused.
 */
#define _WIN32_WINNT 0x0602
#include <windows.h>
#include <winevt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define API __declspec(dllexport)
#define LOGS_MAX 32
#define FAULTS_MAX 16
#define MESSAGES_MAX 64
#define WATCHERS_MAX 64

typedef struct { wchar_t *xml; unsigned long long id; } Entry;
typedef struct { wchar_t name[256]; Entry *entries; int count, capacity; } Log;

typedef enum { RESULTS = 1, EVENT, BOOKMARK, PUBLISHER, SESSION } Kind;
typedef struct {
    Kind kind;
    Log *log;
    wchar_t *query, *xml;
    unsigned long long id, after;
    HANDLE signal;
    int reverse;
    wchar_t name[256];
} Object;

static CRITICAL_SECTION lock;
static LONG handles;
static Log logs[LOGS_MAX];
static int logCount;
static Object *watchers[WATCHERS_MAX];
static struct { char function[40]; DWORD error; int times; } faults[FAULTS_MAX];
static struct { wchar_t publisher[256], key[32]; wchar_t *text; } messages[MESSAGES_MAX];
static int messageCount;

static BOOL fail(DWORD error) { SetLastError(error); return FALSE; }

static BOOL faulty(const char *function) {
    for (int i = 0; i < FAULTS_MAX; i++) {
        if (faults[i].times <= 0 || strcmp(faults[i].function, function)) continue;
        faults[i].times--;
        SetLastError(faults[i].error);
        return TRUE;
    }
    return FALSE;
}

static Object *make(Kind kind) {
    Object *object = calloc(1, sizeof *object);
    object->kind = kind;
    InterlockedIncrement(&handles);
    return object;
}

static Object *as(EVT_HANDLE handle, Kind kind) {
    Object *object = (Object *)handle;
    return object && object->kind == kind ? object : NULL;
}

static Log *findLog(const wchar_t *name) {
    for (int i = 0; i < logCount; i++) if (!_wcsicmp(logs[i].name, name)) return &logs[i];
    return NULL;
}

static unsigned long long numberBehind(const wchar_t *text, const wchar_t *mark) {
    const wchar_t *at = text ? wcsstr(text, mark) : NULL;
    return at ? _wcstoui64(at + wcslen(mark), NULL, 10) : 0;
}

static int matches(const Object *results, const Entry *entry) {
    const wchar_t *at = results->query ? wcsstr(results->query, L"EventID=") : NULL;
    if (!at) return 1;
    return wcstoul(at + 8, NULL, 10) == numberBehind(entry->xml, L"<EventID>");
}

/* The next entry of a subscription or query, or NULL. Ids that a cleared log uses again count as new. */
static Entry *nextEntry(Object *results) {
    Log *log = results->log;
    if (results->reverse) {
        if (results->after || !log->count) return NULL;
        return &log->entries[log->count - 1];
    }
    for (int i = 0; i < log->count; i++) {
        if (log->entries[i].id > results->after && matches(results, &log->entries[i])) return &log->entries[i];
    }
    return NULL;
}

static BOOL copyOut(const wchar_t *text, DWORD size, void *buffer, DWORD *used, int unit) {
    DWORD characters = (DWORD)wcslen(text) + 1, need = characters * (unit == 1 ? 2 : 1);
    *used = need;
    if (size < need || !buffer) return fail(ERROR_INSUFFICIENT_BUFFER);
    memcpy(buffer, text, characters * 2);
    return TRUE;
}

/* ── the test's side ───────────────────────────────────────────────────────────────────────── */

API void StandInAppend(const wchar_t *channel, const wchar_t *xml) {
    EnterCriticalSection(&lock);
    Log *log = findLog(channel);
    if (!log && logCount < LOGS_MAX) { log = &logs[logCount++]; wcsncpy(log->name, channel, 255); }
    if (log && xml) {
        if (log->count == log->capacity) {
            log->capacity = log->capacity ? log->capacity * 2 : 64;
            log->entries = realloc(log->entries, sizeof(Entry) * log->capacity);
        }
        Entry *entry = &log->entries[log->count++];
        entry->xml = _wcsdup(xml);
        entry->id = numberBehind(xml, L"<EventRecordID>");
        for (int i = 0; i < WATCHERS_MAX; i++) if (watchers[i] && watchers[i]->log == log) SetEvent(watchers[i]->signal);
    }
    LeaveCriticalSection(&lock);
}

API void StandInDropOldest(const wchar_t *channel, int count) {
    EnterCriticalSection(&lock);
    Log *log = findLog(channel);
    if (log) {
        if (count > log->count) count = log->count;
        for (int i = 0; i < count; i++) free(log->entries[i].xml);
        log->count -= count;
        memmove(log->entries, log->entries + count, sizeof(Entry) * log->count);
    }
    LeaveCriticalSection(&lock);
}

/* `key` is an event id, or a flag of EvtFormatMessage and a value: "2:4" is the name of level 4. */
API void StandInMessage(const wchar_t *publisher, const wchar_t *key, const wchar_t *text) {
    if (messageCount == MESSAGES_MAX) return;
    wcsncpy(messages[messageCount].publisher, publisher, 255);
    wcsncpy(messages[messageCount].key, key, 31);
    messages[messageCount++].text = _wcsdup(text);
}

API void StandInFault(const char *function, DWORD error, int times) {
    for (int i = 0; i < FAULTS_MAX; i++) {
        if (faults[i].times > 0) continue;
        strncpy(faults[i].function, function, 39);
        faults[i].error = error;
        faults[i].times = times;
        return;
    }
}

API LONG StandInHandles(void) { return handles; }

/* ── results ───────────────────────────────────────────────────────────────────────────────── */

static DWORD openResults(Object *results, const wchar_t *channel, const wchar_t *query) {
    wchar_t name[256] = L"";
    const wchar_t *path = query ? wcsstr(query, L"Path=\"") : NULL;
    if (channel && *channel) wcsncpy(name, channel, 255);
    else if (path) for (int i = 0; i < 255 && path[6 + i] && path[6 + i] != L'"'; i++) { name[i] = path[6 + i]; name[i + 1] = 0; }
    if (query && wcschr(query, L'[') && !wcschr(query, L']')) return ERROR_EVT_INVALID_QUERY;
    if (!_wcsicmp(name, L"Denied")) return ERROR_ACCESS_DENIED;
    results->log = findLog(name);
    if (!results->log) return ERROR_EVT_CHANNEL_NOT_FOUND;
    results->query = query ? _wcsdup(query) : NULL;
    return 0;
}

static EVT_HANDLE refuse(Object *object, DWORD error) {
    EvtClose((EVT_HANDLE)object);
    SetLastError(error);
    return NULL;
}

API EVT_HANDLE WINAPI EvtSubscribe(EVT_HANDLE session, HANDLE signal, LPCWSTR channel, LPCWSTR query,
                                   EVT_HANDLE bookmark, PVOID context, EVT_SUBSCRIBE_CALLBACK callback, DWORD flags) {
    (void)session; (void)context;
    if (faulty("EvtSubscribe")) return NULL;
    if (!signal || callback) { SetLastError(ERROR_INVALID_PARAMETER); return NULL; }
    EnterCriticalSection(&lock);
    Object *results = make(RESULTS);
    DWORD error = openResults(results, channel, query), start = flags & 3;
    Object *from = as(bookmark, BOOKMARK);
    if (!error && start == EvtSubscribeStartAfterBookmark) {
        if (!from) error = ERROR_INVALID_PARAMETER;
        else {
            int found = 0;
            results->after = from->id;
            for (int i = 0; i < results->log->count; i++) found |= results->log->entries[i].id == from->id;
            if (!found && (flags & EvtSubscribeStrict)) error = ERROR_EVT_QUERY_RESULT_STALE;
        }
    }
    if (!error && start == EvtSubscribeToFutureEvents && results->log->count) results->after = results->log->entries[results->log->count - 1].id;
    if (!error) {
        results->signal = signal;
        int i = 0;
        while (i < WATCHERS_MAX && watchers[i]) i++;
        if (i < WATCHERS_MAX) watchers[i] = results;
        if (nextEntry(results)) SetEvent(signal);
    }
    LeaveCriticalSection(&lock);
    return error ? refuse(results, error) : (EVT_HANDLE)results;
}

API EVT_HANDLE WINAPI EvtQuery(EVT_HANDLE session, LPCWSTR channel, LPCWSTR query, DWORD flags) {
    (void)session;
    if (faulty("EvtQuery")) return NULL;
    Object *results = make(RESULTS);
    DWORD error = openResults(results, channel, query);
    results->reverse = (flags & EvtQueryReverseDirection) != 0;
    return error ? refuse(results, error) : (EVT_HANDLE)results;
}

API WINBOOL WINAPI EvtNext(EVT_HANDLE handle, DWORD size, EVT_HANDLE *events, DWORD timeout, DWORD flags, PDWORD returned) {
    (void)timeout; (void)flags;
    *returned = 0;
    if (faulty("EvtNext")) return FALSE;
    Object *results = as(handle, RESULTS);
    if (!results) return fail(ERROR_INVALID_HANDLE);
    EnterCriticalSection(&lock);
    /* One walk for the whole batch: logs of the throughput test are long. */
    Entry *entry = nextEntry(results);
    Entry *end = results->log->entries + results->log->count;
    while (entry && entry < end && *returned < size) {
        if (entry->id > results->after && matches(results, entry)) {
            Object *event = make(EVENT);
            event->xml = _wcsdup(entry->xml);
            event->id = results->after = entry->id;
            wcscpy(event->name, results->log->name);
            events[(*returned)++] = (EVT_HANDLE)event;
        }
        entry++;
    }
    LeaveCriticalSection(&lock);
    return *returned ? TRUE : fail(ERROR_NO_MORE_ITEMS);
}

/* ── bookmarks and rendering ───────────────────────────────────────────────────────────────── */

API EVT_HANDLE WINAPI EvtCreateBookmark(LPCWSTR xml) {
    if (faulty("EvtCreateBookmark")) return NULL;
    if (xml && !wcsstr(xml, L"<BookmarkList")) { SetLastError(ERROR_INVALID_PARAMETER); return NULL; }
    Object *bookmark = make(BOOKMARK);
    bookmark->xml = xml ? _wcsdup(xml) : NULL;
    bookmark->id = numberBehind(xml, L"RecordId='");
    return (EVT_HANDLE)bookmark;
}

API WINBOOL WINAPI EvtUpdateBookmark(EVT_HANDLE handle, EVT_HANDLE of) {
    if (faulty("EvtUpdateBookmark")) return FALSE;
    Object *bookmark = as(handle, BOOKMARK), *event = as(of, EVENT);
    if (!bookmark || !event) return fail(ERROR_INVALID_HANDLE);
    wchar_t xml[512];
    _snwprintf(xml, 511, L"<BookmarkList>\r\n  <Bookmark Channel='%ls' RecordId='%I64u' IsCurrent='true'/>\r\n</BookmarkList>", event->name, event->id);
    free(bookmark->xml);
    bookmark->xml = _wcsdup(xml);
    bookmark->id = event->id;
    return TRUE;
}

API WINBOOL WINAPI EvtRender(EVT_HANDLE context, EVT_HANDLE fragment, DWORD flags, DWORD size, PVOID buffer, PDWORD used, PDWORD properties) {
    (void)context;
    *properties = 0;
    if (faulty("EvtRender")) return FALSE;
    Object *of = as(fragment, flags == EvtRenderBookmark ? BOOKMARK : EVENT);
    if (!of) return fail(ERROR_INVALID_HANDLE);
    return copyOut(of->xml ? of->xml : L"<BookmarkList/>", size, buffer, used, 1);
}

/* ── publishers ────────────────────────────────────────────────────────────────────────────── */

API EVT_HANDLE WINAPI EvtOpenPublisherMetadata(EVT_HANDLE session, LPCWSTR publisher, LPCWSTR path, LCID locale, DWORD flags) {
    (void)session; (void)path; (void)locale; (void)flags;
    if (faulty("EvtOpenPublisherMetadata")) return NULL;
    for (int i = 0; i < messageCount; i++) {
        if (wcscmp(messages[i].publisher, publisher)) continue;
        Object *object = make(PUBLISHER);
        wcsncpy(object->name, publisher, 255);
        return (EVT_HANDLE)object;
    }
    SetLastError(ERROR_EVT_PUBLISHER_METADATA_NOT_FOUND);
    return NULL;
}

/* A message's %1 is the text of the first Data element. */
static void firstData(const wchar_t *xml, wchar_t *into, int max) {
    const wchar_t *at = wcsstr(xml, L"<Data");
    into[0] = 0;
    if (!at || !(at = wcschr(at, L'>'))) return;
    for (int i = 0; i < max - 1 && at[1 + i] && at[1 + i] != L'<'; i++) { into[i] = at[1 + i]; into[i + 1] = 0; }
}

API WINBOOL WINAPI EvtFormatMessage(EVT_HANDLE publisher, EVT_HANDLE event, DWORD id, DWORD valueCount, PEVT_VARIANT values,
                                    DWORD flags, DWORD size, LPWSTR buffer, PDWORD used) {
    (void)id; (void)valueCount; (void)values;
    static const wchar_t *marks[] = { L"", L"<EventID>", L"<Level>", L"<Task>", L"<Opcode>", L"<Keywords>" };
    if (faulty("EvtFormatMessage")) return FALSE;
    Object *from = as(publisher, PUBLISHER), *of = as(event, EVENT);
    if (!from || !of || flags < 1 || flags > 5) return fail(ERROR_INVALID_HANDLE);
    wchar_t key[32], data[1024];
    unsigned long long value = numberBehind(of->xml, marks[flags]);
    if (flags == EvtFormatMessageEvent) _snwprintf(key, 31, L"%I64u", value);
    else _snwprintf(key, 31, L"%lu:%I64u", flags, value);
    for (int i = 0; i < messageCount; i++) {
        if (wcscmp(messages[i].publisher, from->name) || wcscmp(messages[i].key, key)) continue;
        const wchar_t *text = messages[i].text, *insert = wcsstr(text, L"%1");
        if (!insert) return copyOut(text, size, buffer, used, 2);
        firstData(of->xml, data, 1024);
        size_t max = wcslen(text) + wcslen(data) + 1;
        wchar_t *whole = malloc(max * 2);
        _snwprintf(whole, max, L"%.*ls%ls%ls", (int)(insert - text), text, data, insert + 2);
        BOOL ok = copyOut(whole, size, buffer, used, 2);
        free(whole);
        return ok;
    }
    return fail(ERROR_EVT_MESSAGE_NOT_FOUND);
}

/* ── sessions and handles ──────────────────────────────────────────────────────────────────── */

API EVT_HANDLE WINAPI EvtOpenSession(EVT_LOGIN_CLASS kind, PVOID login, DWORD timeout, DWORD flags) {
    (void)timeout; (void)flags;
    if (faulty("EvtOpenSession")) return NULL;
    EVT_RPC_LOGIN *rpc = login;
    if (kind != EvtRpcLogin || !rpc || !rpc->Server) { SetLastError(ERROR_INVALID_PARAMETER); return NULL; }
    if (wcscmp(rpc->Server, L"collector") || !rpc->Password || wcscmp(rpc->Password, L"right")) { SetLastError(ERROR_ACCESS_DENIED); return NULL; }
    return (EVT_HANDLE)make(SESSION);
}

API WINBOOL WINAPI EvtClose(EVT_HANDLE handle) {
    Object *object = (Object *)handle;
    if (!object || !object->kind) return fail(ERROR_INVALID_HANDLE);
    EnterCriticalSection(&lock);
    for (int i = 0; i < WATCHERS_MAX; i++) if (watchers[i] == object) watchers[i] = NULL;
    LeaveCriticalSection(&lock);
    free(object->query);
    free(object->xml);
    object->kind = 0;
    free(object);
    InterlockedDecrement(&handles);
    return TRUE;
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD why, LPVOID reserved) {
    (void)instance; (void)reserved;
    if (why == DLL_PROCESS_ATTACH) InitializeCriticalSection(&lock);
    return TRUE;
}
