/* Preloaded into a process: lets its n-th write, flush or rename fail, or kills it there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE, KILL, NO_SPACE, BROKEN };
static long calls = 0, at = 0;
static int kind = NONE;

void fault_set(long number, int what) { calls = 0; at = number; kind = what; }
long fault_calls(void) { return calls; }

static int fails(void) {
    calls++;
    if (kind == NONE || calls < at) return 0;
    if (kind == KILL && calls == at) kill(getpid(), SIGKILL);
    if (kind == NO_SPACE) { errno = ENOSPC; return 1; } /* a full disk stays full */
    if (kind == BROKEN && calls == at) { errno = EIO; return 1; }
    return 0;
}

static int is_file(int handle) {
    struct stat about;
    return fstat(handle, &about) == 0 && S_ISREG(about.st_mode);
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

ssize_t write(int handle, const void *data, size_t size) {
    return is_file(handle) && fails() ? -1 : REAL(write)(handle, data, size);
}
ssize_t pwrite64(int handle, const void *data, size_t size, off_t place) {
    return is_file(handle) && fails() ? -1 : REAL(pwrite64)(handle, data, size, place);
}
ssize_t writev(int handle, const struct iovec *parts, int count) {
    return is_file(handle) && fails() ? -1 : REAL(writev)(handle, parts, count);
}
int fsync(int handle) { return fails() ? -1 : REAL(fsync)(handle); }
int rename(const char *from, const char *to) { return fails() ? -1 : REAL(rename)(from, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return fails() ? -1 : REAL(renameat2)(a, from, b, to, flags);
}
int mkdir(const char *path, mode_t mode) { return fails() ? -1 : REAL(mkdir)(path, mode); }
