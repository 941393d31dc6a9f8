/* Lets the n-th write, fsync, rename or change of length below a folder fail. Preloaded into the service; the trial arms it through a file that both map. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The n-th call from now on fails with an error number; n is 0 for none. Calls seen since, and whether one has failed. */
struct control { volatile int64_t n, error, seen, failed; };

static struct control *control;
static const char *root;

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("IOFAULT_CONTROL");
    root = getenv("IOFAULT_ROOT");
    int descriptor = path && root ? open(path, O_RDWR) : -1;
    if (descriptor < 0) return;
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped != MAP_FAILED) control = mapped;
    close(descriptor);
}

static int is_below(const char *path) { return strncmp(path, root, strlen(root)) == 0; }

static int fails(void) {
    if (__sync_add_and_fetch(&control->seen, 1) != control->n) return 0;
    control->failed = 1;
    errno = (int)control->error;
    return 1;
}

static int path_fails(const char *path) { return control && control->n && is_below(path) && fails(); }

static int file_fails(int descriptor) {
    char link[64], path[4096];
    if (!control || !control->n) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path) && fails();
}

#define NEXT(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

ssize_t write(int d, const void *b, size_t n) { return file_fails(d) ? -1 : NEXT(ssize_t, "write", int, const void *, size_t)(d, b, n); }
ssize_t pwrite(int d, const void *b, size_t n, off_t o) { return file_fails(d) ? -1 : NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t)(d, b, n, o); }
ssize_t pwrite64(int d, const void *b, size_t n, off64_t o) { return file_fails(d) ? -1 : NEXT(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(d, b, n, o); }
ssize_t pwritev(int d, const struct iovec *v, int n, off_t o) { return file_fails(d) ? -1 : NEXT(ssize_t, "pwritev", int, const struct iovec *, int, off_t)(d, v, n, o); }
int fsync(int d) { return file_fails(d) ? -1 : NEXT(int, "fsync", int)(d); }
int fdatasync(int d) { return file_fails(d) ? -1 : NEXT(int, "fdatasync", int)(d); }
int ftruncate(int d, off_t n) { return file_fails(d) ? -1 : NEXT(int, "ftruncate", int, off_t)(d, n); }
int ftruncate64(int d, off64_t n) { return file_fails(d) ? -1 : NEXT(int, "ftruncate64", int, off64_t)(d, n); }
int rename(const char *from, const char *to) { return path_fails(to) ? -1 : NEXT(int, "rename", const char *, const char *)(from, to); }
