/* A stand-in for pdh.dll with counters in memory: the contract of the functions that perfcounter
 * calls, compiled against the headers of the real ones. Time stands still but for StandInAdvance, so
 * that rates are known. It can be told to fail. */
#define UNICODE
#define _UNICODE
#include <windows.h>
#include <pdh.h>
#include <pdhmsg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EXPORT __declspec(dllexport)
#define ITEMS_MAX 4096
#define TEXT_MAX 128

typedef struct {
  WCHAR object[TEXT_MAX], counter[TEXT_MAX], instance[TEXT_MAX];
  int is_rate, is_used;
  double value;
} Item;

/* What a collection saw of one instance. */
typedef struct {
  WCHAR instance[TEXT_MAX];
  double value;
} Seen;

typedef struct Counter {
  WCHAR object[TEXT_MAX], counter[TEXT_MAX], instance[TEXT_MAX];
  int has_instance, is_rate;
  Seen *before, *now;
  int before_count, now_count;
  double before_time, now_time;
  int collections;
  struct Query *query;
  struct Counter *next;
} Counter;

typedef struct Query {
  Counter *counters;
} Query;

static Item items[ITEMS_MAX];
static double seconds;
static LONG handles;
static int refreshes, names_known;
static struct { char name[64]; DWORD status; int times; } fault;

static DWORD failing(const char *name) {
  if (fault.times <= 0 || strcmp(fault.name, name) != 0) return 0;
  fault.times--;
  return fault.status;
}

/* A counter's instance has this value from now on. */
EXPORT void StandInSet(LPCWSTR object, LPCWSTR counter, LPCWSTR instance, int is_rate, double value) {
  Item *free_item = NULL;
  for (int i = 0; i < ITEMS_MAX; i++) {
    Item *item = &items[i];
    if (!item->is_used) {
      if (free_item == NULL) free_item = item;
      continue;
    }
    if (wcscmp(item->object, object) || wcscmp(item->counter, counter)) continue;
    if (wcscmp(item->instance, instance)) continue;
    item->value = value;
    return;
  }
  if (free_item == NULL) return;
  wcsncpy(free_item->object, object, TEXT_MAX - 1);
  wcsncpy(free_item->counter, counter, TEXT_MAX - 1);
  wcsncpy(free_item->instance, instance, TEXT_MAX - 1);
  free_item->is_rate = is_rate;
  free_item->value = value;
  free_item->is_used = 1;
}

/* Two processes of one name are two items of one name. */
EXPORT void StandInAdd(LPCWSTR object, LPCWSTR counter, LPCWSTR instance, int is_rate, double value) {
  for (int i = 0; i < ITEMS_MAX; i++) {
    Item *item = &items[i];
    if (item->is_used) continue;
    wcsncpy(item->object, object, TEXT_MAX - 1);
    wcsncpy(item->counter, counter, TEXT_MAX - 1);
    wcsncpy(item->instance, instance, TEXT_MAX - 1);
    item->is_rate = is_rate;
    item->value = value;
    item->is_used = 1;
    return;
  }
}

/* The instance goes away; with NULL, all of the object. */
EXPORT void StandInRemove(LPCWSTR object, LPCWSTR instance) {
  for (int i = 0; i < ITEMS_MAX; i++) {
    Item *item = &items[i];
    if (!item->is_used || wcscmp(item->object, object)) continue;
    if (instance == NULL || !wcscmp(item->instance, instance)) memset(item, 0, sizeof *item);
  }
}

EXPORT void StandInAdvance(double by) { seconds += by; }
EXPORT int StandInHandles(void) { return handles; }
EXPORT int StandInRefreshes(void) { return refreshes; }
/* Objects that come from now on are only seen once the names are read anew. */
EXPORT void StandInForgetNames(int known) { names_known = known; }
EXPORT void StandInFault(const char *name, DWORD status, int times) {
  strncpy(fault.name, name, sizeof fault.name - 1);
  fault.status = status;
  fault.times = times;
}

EXPORT PDH_FUNCTION PdhOpenQueryW(LPCWSTR source, DWORD_PTR user, PDH_HQUERY *into) {
  (void)user;
  DWORD status = failing("PdhOpenQuery");
  if (status) return status;
  if (source != NULL) return PDH_INVALID_ARGUMENT;
  *into = calloc(1, sizeof(Query));
  handles++;
  return ERROR_SUCCESS;
}

static int parse(LPCWSTR path, Counter *counter) {
  if (path[0] != L'\\') return 0;
  LPCWSTR open = wcschr(path + 1, L'(');
  LPCWSTR slash = wcsrchr(path + 1, L'\\');
  if (slash == NULL) return 0;
  LPCWSTR end = slash;
  if (open != NULL && open < slash) {
    if (slash[-1] != L')') return 0;
    end = open;
    counter->has_instance = 1;
    wcsncpy(counter->instance, open + 1, slash - open - 2);
  }
  wcsncpy(counter->object, path + 1, end - path - 1);
  wcsncpy(counter->counter, slash + 1, TEXT_MAX - 1);
  return 1;
}

EXPORT PDH_FUNCTION PdhAddEnglishCounterW(PDH_HQUERY query, LPCWSTR path, DWORD_PTR user,
                                          PDH_HCOUNTER *into) {
  (void)user;
  DWORD status = failing("PdhAddEnglishCounter");
  if (status) return status;
  Counter *counter = calloc(1, sizeof *counter);
  if (!parse(path, counter)) {
    free(counter);
    return PDH_CSTATUS_BAD_COUNTERNAME;
  }
  int has_object = 0, has_counter = 0;
  for (int i = 0; i < ITEMS_MAX && names_known == 0; i++) {
    if (!items[i].is_used || _wcsicmp(items[i].object, counter->object)) continue;
    has_object = 1;
    if (_wcsicmp(items[i].counter, counter->counter)) continue;
    has_counter = 1;
    counter->is_rate = items[i].is_rate;
  }
  if (!has_counter) {
    free(counter);
    return has_object ? PDH_CSTATUS_NO_COUNTER : PDH_CSTATUS_NO_OBJECT;
  }
  counter->query = (Query *)query;
  counter->next = counter->query->counters;
  counter->query->counters = counter;
  *into = counter;
  return ERROR_SUCCESS;
}

static int collect(Counter *counter) {
  free(counter->before);
  counter->before = counter->now;
  counter->before_count = counter->now_count;
  counter->before_time = counter->now_time;
  counter->now = calloc(ITEMS_MAX, sizeof(Seen));
  counter->now_count = 0;
  counter->now_time = seconds;
  counter->collections++;
  for (int i = 0; i < ITEMS_MAX; i++) {
    Item *item = &items[i];
    if (!item->is_used || _wcsicmp(item->object, counter->object)) continue;
    if (_wcsicmp(item->counter, counter->counter)) continue;
    int takes_all = counter->has_instance && !wcscmp(counter->instance, L"*");
    if (!takes_all && _wcsicmp(item->instance, counter->instance)) continue;
    Seen *seen = &counter->now[counter->now_count++];
    wcscpy(seen->instance, item->instance);
    seen->value = item->value;
  }
  return counter->now_count;
}

EXPORT PDH_FUNCTION PdhCollectQueryData(PDH_HQUERY query) {
  DWORD status = failing("PdhCollectQueryData");
  if (status) return status;
  int found = 0;
  for (Counter *counter = ((Query *)query)->counters; counter != NULL; counter = counter->next) {
    found += collect(counter);
  }
  return found > 0 ? ERROR_SUCCESS : PDH_NO_DATA;
}

/* The n-th of a name answers to the n-th before. */
static const Seen *earlier(const Counter *counter, int at) {
  int nth = 0, found = 0;
  for (int i = 0; i < at; i++) nth += !wcscmp(counter->now[i].instance, counter->now[at].instance);
  for (int i = 0; i < counter->before_count; i++) {
    if (wcscmp(counter->before[i].instance, counter->now[at].instance)) continue;
    if (found++ == nth) return &counter->before[i];
  }
  return NULL;
}

static void format(const Counter *counter, int at, DWORD form, PDH_FMT_COUNTERVALUE *value) {
  value->CStatus = PDH_CSTATUS_VALID_DATA;
  value->doubleValue = counter->now[at].value;
  if (counter->is_rate) {
    const Seen *before = earlier(counter, at);
    double by = counter->now_time - counter->before_time;
    if (before == NULL || by <= 0) value->CStatus = PDH_CSTATUS_INVALID_DATA;
    else if (counter->now[at].value < before->value) value->CStatus = PDH_CALC_NEGATIVE_VALUE;
    else value->doubleValue = (counter->now[at].value - before->value) / by;
  }
  if (value->CStatus != PDH_CSTATUS_VALID_DATA) value->doubleValue = 0;
  if (!(form & PDH_FMT_NOCAP100) && value->doubleValue > 100) value->doubleValue = 100;
}

EXPORT PDH_FUNCTION PdhGetFormattedCounterArrayW(PDH_HCOUNTER handle, DWORD form, LPDWORD bytes,
                                                 LPDWORD count, PPDH_FMT_COUNTERVALUE_ITEM_W into) {
  DWORD status = failing("PdhGetFormattedCounterArray");
  if (status) return status;
  Counter *counter = (Counter *)handle;
  if (!(form & PDH_FMT_DOUBLE)) return PDH_INVALID_ARGUMENT;
  if (counter->collections == 0) return PDH_NO_DATA;
  if (counter->now_count == 0) return PDH_CSTATUS_NO_INSTANCE;
  if (counter->is_rate && counter->collections == 1) return PDH_INVALID_DATA;
  DWORD needed = counter->now_count * sizeof *into;
  for (int i = 0; i < counter->now_count; i++) {
    needed += (wcslen(counter->now[i].instance) + 1) * sizeof(WCHAR);
  }
  DWORD given = *bytes;
  *bytes = needed;
  *count = counter->now_count;
  if (into == NULL || given < needed) return PDH_MORE_DATA;
  WCHAR *text = (WCHAR *)(into + counter->now_count);
  for (int i = 0; i < counter->now_count; i++) {
    wcscpy(text, counter->now[i].instance);
    into[i].szName = text;
    text += wcslen(text) + 1;
    format(counter, i, form, &into[i].FmtValue);
  }
  return ERROR_SUCCESS;
}

EXPORT PDH_FUNCTION PdhEnumObjectsW(LPCWSTR source, LPCWSTR machine, PZZWSTR list, LPDWORD size,
                                    DWORD detail, WINBOOL refresh) {
  (void)source, (void)machine, (void)list, (void)detail;
  refreshes++;
  if (refresh) names_known = 0;
  *size = 2;
  return PDH_MORE_DATA;
}

EXPORT PDH_FUNCTION PdhCloseQuery(PDH_HQUERY query) {
  Counter *counter = ((Query *)query)->counters;
  while (counter != NULL) {
    Counter *next = counter->next;
    free(counter->before);
    free(counter->now);
    free(counter);
    counter = next;
  }
  free((Query *)query);
  handles--;
  return ERROR_SUCCESS;
}
