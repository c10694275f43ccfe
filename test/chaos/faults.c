/*
 * Makes system calls on files below a directory fail, for a process that it is preloaded into
 * (LD_PRELOAD). SLUICE_FAULT_PREFIX names the directory, SLUICE_FAULT_CONTROL a file of at least
 * sizeof(struct control) bytes that a test writes and reads while the process runs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CALL_OPEN, CALL_WRITE, CALL_SYNC, CALL_RENAME, CALL_TRUNCATE, CALL_UNLINK,
       CALL_READ, CALL_LIST, CALL_MAKE_DIRECTORY, CALLS };

struct control {
  volatile uint32_t mask;   /* bit n: call n is watched */
  volatile int32_t error;   /* errno to fail with; 0: count only */
  volatile int32_t skip;    /* watched calls that still succeed */
  volatile int32_t times;   /* how often to fail after that; -1: always */
  volatile int32_t seen[12]; /* watched calls so far, by kind */
  volatile int32_t failed[12];
  char part[64]; /* only paths that contain it; empty: all below the prefix */
};

static struct control *control;
static char prefix[PATH_MAX];
static size_t prefix_length;

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("SLUICE_FAULT_CONTROL");
  const char *below = getenv("SLUICE_FAULT_PREFIX");
  if (path == NULL || below == NULL) return;
  int (*open_file)(const char *, int, ...) = next("open");
  int file = open_file(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *memory =
      mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return;
  prefix_length = strlen(below);
  if (prefix_length >= sizeof(prefix)) return;
  memcpy(prefix, below, prefix_length + 1);
  control = memory;
}

/* True when this call on this path is to fail; sets errno. */
static int fails(int call, const char *path) {
  if (control == NULL || (control->mask & (1u << call)) == 0) return 0;
  if (path == NULL || strncmp(path, prefix, prefix_length) != 0) return 0;
  if (control->part[0] != 0 && strstr(path, control->part) == NULL) return 0;
  __atomic_add_fetch(&control->seen[call], 1, __ATOMIC_SEQ_CST);
  if (control->error == 0) return 0;
  if (__atomic_fetch_sub(&control->skip, 1, __ATOMIC_SEQ_CST) > 0) return 0;
  if (control->times >= 0 && __atomic_fetch_sub(&control->times, 1, __ATOMIC_SEQ_CST) <= 0) return 0;
  __atomic_add_fetch(&control->failed[call], 1, __ATOMIC_SEQ_CST);
  errno = control->error;
  return 1;
}

static int fails_file(int call, int file) {
  if (control == NULL || (control->mask & (1u << call)) == 0) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return fails(call, path);
}

/* A read-only file system refuses to open for writing only. */
static int fails_open(const char *path, int flags) {
  if (control != NULL && control->error == EROFS && (flags & O_ACCMODE) == O_RDONLY) return 0;
  if (control != NULL && control->error == ENOSPC && (flags & O_CREAT) == 0) return 0;
  return fails(CALL_OPEN, path);
}

#define OPEN(name)                                                 \
  int name(const char *path, int flags, ...) {                     \
    int (*real)(const char *, int, ...) = next(#name);             \
    mode_t mode = 0;                                               \
    if (flags & (O_CREAT | O_TMPFILE)) {                           \
      va_list rest;                                                \
      va_start(rest, flags);                                       \
      mode = va_arg(rest, mode_t);                                 \
      va_end(rest);                                                \
    }                                                              \
    return fails_open(path, flags) ? -1 : real(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define ON_FILE(call, result, name, parameters, arguments)    \
  result name parameters {                                    \
    result(*real) parameters = next(#name);                   \
    return fails_file(call, file) ? (result)-1 : real arguments; \
  }
ON_FILE(CALL_WRITE, ssize_t, write, (int file, const void *data, size_t bytes), (file, data, bytes))
ON_FILE(CALL_WRITE, ssize_t, writev, (int file, const struct iovec *parts, int count),
        (file, parts, count))
ON_FILE(CALL_WRITE, ssize_t, pwrite, (int file, const void *data, size_t bytes, off_t at),
        (file, data, bytes, at))
ON_FILE(CALL_WRITE, ssize_t, pwrite64, (int file, const void *data, size_t bytes, off64_t at),
        (file, data, bytes, at))
ON_FILE(CALL_WRITE, ssize_t, pwritev, (int file, const struct iovec *parts, int count, off_t at),
        (file, parts, count, at))
ON_FILE(CALL_WRITE, ssize_t, pwritev64,
        (int file, const struct iovec *parts, int count, off64_t at), (file, parts, count, at))
ON_FILE(CALL_SYNC, int, fsync, (int file), (file))
ON_FILE(CALL_SYNC, int, fdatasync, (int file), (file))
ON_FILE(CALL_TRUNCATE, int, ftruncate, (int file, off_t bytes), (file, bytes))
ON_FILE(CALL_TRUNCATE, int, ftruncate64, (int file, off64_t bytes), (file, bytes))

ON_FILE(CALL_READ, ssize_t, read, (int file, void *data, size_t bytes), (file, data, bytes))
ON_FILE(CALL_READ, ssize_t, readv, (int file, const struct iovec *parts, int count),
        (file, parts, count))
ON_FILE(CALL_READ, ssize_t, pread, (int file, void *data, size_t bytes, off_t at),
        (file, data, bytes, at))
ON_FILE(CALL_READ, ssize_t, pread64, (int file, void *data, size_t bytes, off64_t at),
        (file, data, bytes, at))
ON_FILE(CALL_READ, ssize_t, preadv, (int file, const struct iovec *parts, int count, off_t at),
        (file, parts, count, at))
ON_FILE(CALL_READ, ssize_t, preadv64,
        (int file, const struct iovec *parts, int count, off64_t at), (file, parts, count, at))

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = next("rename");
  return fails(CALL_RENAME, from) ? -1 : real(from, to);
}

int unlink(const char *path) {
  int (*real)(const char *) = next("unlink");
  return fails(CALL_UNLINK, path) ? -1 : real(path);
}

int mkdir(const char *path, mode_t mode) {
  int (*real)(const char *, mode_t) = next("mkdir");
  return fails(CALL_MAKE_DIRECTORY, path) ? -1 : real(path, mode);
}

typedef int (*select_entry)(const struct dirent *);
typedef int (*order_entries)(const struct dirent **, const struct dirent **);

int scandir(const char *path, struct dirent ***entries, select_entry select, order_entries order) {
  int (*real)(const char *, struct dirent ***, select_entry, order_entries) = next("scandir");
  return fails(CALL_LIST, path) ? -1 : real(path, entries, select, order);
}

typedef int (*select_entry64)(const struct dirent64 *);
typedef int (*order_entries64)(const struct dirent64 **, const struct dirent64 **);

int scandir64(const char *path, struct dirent64 ***entries, select_entry64 select,
              order_entries64 order) {
  int (*real)(const char *, struct dirent64 ***, select_entry64, order_entries64) =
      next("scandir64");
  return fails(CALL_LIST, path) ? -1 : real(path, entries, select, order);
}
