/* Stands in for the functions of advapi32.dll that write the Event Log: keeps what it is given and can be told to
 * fail. Compiled against the headers of the real library. One process, one thread at a time. */
#define WINBASEAPI
#define WINADVAPI
#include <windows.h>

#define EXPORT __declspec(dllexport)
#define EVENTS 64
#define CHARACTERS 32768

static struct {
  WORD type, strings;
  DWORD id;
  WCHAR text[CHARACTERS];
} events[EVENTS];
static int eventCount, openCount, faultsLeft;
static DWORD faultCode;
static WCHAR sourceName[256];

EXPORT HANDLE WINAPI RegisterEventSourceW(LPCWSTR server, LPCWSTR source) {
  if (server != NULL) {
    SetLastError(ERROR_INVALID_PARAMETER);
    return NULL;
  }
  lstrcpynW(sourceName, source, 256);
  openCount++;
  return (HANDLE)(ULONG_PTR)0x5151;
}

EXPORT WINBOOL WINAPI DeregisterEventSource(HANDLE log) {
  if (log != (HANDLE)(ULONG_PTR)0x5151) return FALSE;
  openCount--;
  return TRUE;
}

EXPORT WINBOOL WINAPI ReportEventW(HANDLE log, WORD type, WORD category, DWORD id, PSID user, WORD strings,
                                   DWORD bytes, LPCWSTR *texts, LPVOID data) {
  (void)category;
  if (faultsLeft > 0) {
    faultsLeft--;
    SetLastError(faultCode);
    return FALSE;
  }
  if (log != (HANDLE)(ULONG_PTR)0x5151 || user != NULL || bytes != 0 || data != NULL || strings != 1 ||
      eventCount == EVENTS || lstrlenW(texts[0]) > 31839) {
    SetLastError(ERROR_INVALID_PARAMETER);
    return FALSE;
  }
  events[eventCount].type = type;
  events[eventCount].id = id;
  events[eventCount].strings = strings;
  lstrcpynW(events[eventCount].text, texts[0], CHARACTERS);
  eventCount++;
  return TRUE;
}

/* The test's side. */
EXPORT int StandInCount(void) { return eventCount; }
EXPORT int StandInOpen(void) { return openCount; }
EXPORT int StandInType(int at) { return events[at].type; }
EXPORT int StandInId(int at) { return (int)events[at].id; }
EXPORT LPCWSTR StandInText(int at) { return events[at].text; }
EXPORT LPCWSTR StandInSource(void) { return sourceName; }
EXPORT void StandInFault(DWORD code, int times) {
  faultCode = code;
  faultsLeft = times;
}
