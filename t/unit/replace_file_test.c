/* SPDX-License-Identifier: Apache-2.0
 *
 * Replacing files: everything that may stand where the file should go, every
 * kind of directory, a full disk, and readers during the replacement.  The
 * cases that need another user's files run only as root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#include "base/replace_file.h"

#define NOBODY 65534

/** A directory of its own for each test; the file in it. */
typedef struct place_t {
    char dir[SCRATCH_SIZE];
    char path[80];
} place_t;

static int setup(void **state)
{
    place_t *place = calloc(1, sizeof(*place));

    if (scratch_make(place->dir, 0755) != 0) {
        return -1;
    }
    snprintf(place->path, sizeof(place->path), "%s/data.txt", place->dir);
    *state = place;
    return 0;
}

/* How many entries the directory has, after removing them if asked to. */
static int entries(const place_t *place, int remove)
{
    DIR *dir = opendir(place->dir);
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            count++;
            if (remove && unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
                unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
            }
        }
    }
    closedir(dir);
    return count;
}

static int teardown(void **state)
{
    place_t *place = *state;

    chmod(place->dir, 0700);
    entries(place, 1);
    rmdir(place->dir);
    free(place);
    return 0;
}

static void write_plain(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_content(const char *path, const char *text)
{
    char buf[256];
    FILE *f = fopen(path, "r");
    size_t len;

    assert_non_null(f);
    len = fread(buf, 1, sizeof(buf) - 1, f);
    buf[len] = '\0';
    fclose(f);
    assert_string_equal(buf, text);
}

static apr_status_t replace(amgr_replace_file_t *file, const char *path,
                            const char *text)
{
    apr_status_t rv = amgr_replace_begin(file, path, 0644);

    if (rv == APR_SUCCESS) {
        amgr_sink_puts(&file->sink, text);
        rv = amgr_replace_commit(file);
    }
    assert_int_equal(file->fd, -1);
    assert_int_equal(file->dir_fd, -1);
    assert_true((rv == APR_SUCCESS) == (file->error == AMGR_REPLACE_OK));
    return rv;
}

static void test_new_and_old(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    struct stat info;
    mode_t mask = umask(077);

    assert_int_equal(replace(&file, place->path, "one"), APR_SUCCESS);
    assert_content(place->path, "one");
    assert_int_equal(replace(&file, place->path, "two"), APR_SUCCESS);
    umask(mask);
    assert_content(place->path, "two");
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    assert_int_equal(entries(place, 0), 1);
}

static void test_nothing_but_regular(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    char other[80];

    snprintf(other, sizeof(other), "%s/other", place->dir);
    write_plain(other, "precious");
    assert_int_equal(symlink(other, place->path), 0);
    assert_int_equal(replace(&file, place->path, "x"), APR_EGENERAL);
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    assert_content(other, "precious");
    assert_int_equal(unlink(place->path), 0);

    assert_int_equal(symlink("/nowhere/at/all", place->path), 0);
    replace(&file, place->path, "x");
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    assert_int_equal(unlink(place->path), 0);

    assert_int_equal(mkdir(place->path, 0755), 0);
    replace(&file, place->path, "x");
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    assert_int_equal(rmdir(place->path), 0);

    assert_int_equal(mkfifo(place->path, 0666), 0);
    alarm(5); /* a reader or writer would wait for ever */
    replace(&file, place->path, "x");
    alarm(0);
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    assert_int_equal(entries(place, 0), 2);
}

/* The other name of the inode keeps the old content. */
static void test_hard_link(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    char other[80];

    snprintf(other, sizeof(other), "%s/other", place->dir);
    write_plain(other, "precious");
    assert_int_equal(link(other, place->path), 0);
    assert_int_equal(replace(&file, place->path, "new"), APR_SUCCESS);
    assert_content(place->path, "new");
    assert_content(other, "precious");
}

typedef struct dir_case_t {
    mode_t mode;
    gid_t gid; /**< (gid_t)-1: ours */
    int safe;
} dir_case_t;

static void test_directories(void **state)
{
    static const dir_case_t cases[] = {
        {0755, (gid_t)-1, 1}, {0700, (gid_t)-1, 1}, {0775, (gid_t)-1, 1},
        {0777, (gid_t)-1, 0}, {0757, (gid_t)-1, 0}, {01777, (gid_t)-1, 1},
        {0775, NOBODY, 0},    {01775, NOBODY, 1},   {02775, NOBODY, 0},
        {0755, NOBODY, 1}};
    place_t *place = *state;
    amgr_replace_file_t file;
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(cases); i++) {
        if (cases[i].gid != (gid_t)-1 && geteuid() != 0) {
            continue;
        }
        assert_int_equal(chown(place->dir, (uid_t)-1, cases[i].gid), 0);
        assert_int_equal(chmod(place->dir, cases[i].mode), 0);
        replace(&file, place->path, "x");
        assert_int_equal(file.error, cases[i].safe ? AMGR_REPLACE_OK
                                                   : AMGR_REPLACE_DIR_UNSAFE);
    }
}

static void test_foreign_in_sticky(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;

    if (geteuid() != 0) {
        return;
    }
    write_plain(place->path, "theirs");
    assert_int_equal(chown(place->path, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(place->dir, 01777), 0);
    replace(&file, place->path, "x");
    assert_int_equal(file.error, AMGR_REPLACE_FOREIGN);
    assert_content(place->path, "theirs");
    assert_int_equal(chmod(place->dir, 0755), 0);
    assert_int_equal(replace(&file, place->path, "ours"), APR_SUCCESS);
    assert_content(place->path, "ours");
}

static void test_bad_paths(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    char text[5000];

    assert_int_equal(replace(&file, "data.txt", "x"), EINVAL);
    assert_int_equal(file.error, AMGR_REPLACE_DIR_OPEN);
    assert_int_equal(replace(&file, "", "x"), EINVAL);
    snprintf(text, sizeof(text), "%s/none/data.txt", place->dir);
    assert_int_equal(replace(&file, text, "x"), ENOENT);
    assert_int_equal(file.error, AMGR_REPLACE_DIR_OPEN);
    assert_int_equal(file.sys_errno, ENOENT);
    write_plain(place->path, "old");
    snprintf(text, sizeof(text), "%s/data.txt", place->path);
    assert_int_equal(replace(&file, text, "x"), ENOTDIR);
    snprintf(text, sizeof(text), "%s/", place->dir);
    replace(&file, text, "x");
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    snprintf(text, sizeof(text), "%s/..", place->dir);
    replace(&file, text, "x");
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    memset(text, 'a', sizeof(text) - 1);
    text[0] = '/';
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(replace(&file, text, "x"), ENAMETOOLONG);
    text[4900] = '/';
    assert_int_equal(replace(&file, text, "x"), ENAMETOOLONG);
    assert_int_equal(entries(place, 0), 1);
}

static void test_longest_name(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    char text[400];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s/", place->dir);

    memset(text + len, 'n', 255);
    text[len + 255] = '\0';
    assert_int_equal(replace(&file, text, "long"), APR_SUCCESS);
    assert_content(text, "long");
    memset(text + len, 'n', 256);
    text[len + 256] = '\0';
    assert_int_equal(replace(&file, text, "x"), ENAMETOOLONG);
}

static void test_read_only_dir(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    int root = geteuid() == 0;

    write_plain(place->path, "old");
    assert_int_equal(chmod(place->dir, 0555), 0);
    if (root) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    assert_int_equal(replace(&file, place->path, "x"), EACCES);
    assert_int_equal(file.error, AMGR_REPLACE_CREATE);
    if (root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_content(place->path, "old");
}

/* RLIMIT_FSIZE fails a write as a full disk does, at any byte. */
static void test_disk_full(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    struct rlimit old;
    struct rlimit limit;
    apr_status_t rv;
    int i;

    write_plain(place->path, "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 6000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    rv = amgr_replace_begin(&file, place->path, 0644);
    for (i = 0; i < 1000; i++) {
        amgr_sink_puts(&file.sink, "0123456789");
    }
    if (rv == APR_SUCCESS) {
        rv = amgr_replace_commit(&file);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(rv, EFBIG);
    assert_int_equal(file.error, AMGR_REPLACE_WRITE);
    assert_int_equal(file.sys_errno, EFBIG);
    assert_content(place->path, "old");
    assert_int_equal(entries(place, 0), 1);
}

static void test_abort(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;

    write_plain(place->path, "old");
    assert_int_equal(amgr_replace_begin(&file, place->path, 0600), APR_SUCCESS);
    assert_int_equal(entries(place, 0), 2);
    amgr_sink_puts(&file.sink, "new");
    amgr_replace_abort(&file);
    amgr_replace_abort(&file);
    assert_int_equal(entries(place, 0), 1);
    assert_int_equal(amgr_replace_commit(&file), APR_EINVAL);
    assert_content(place->path, "old");
}

/* What slips in between begin and commit is not followed either. */
static void test_planted_meanwhile(void **state)
{
    place_t *place = *state;
    amgr_replace_file_t file;
    char other[80];

    snprintf(other, sizeof(other), "%s/other", place->dir);
    write_plain(other, "precious");
    assert_int_equal(amgr_replace_begin(&file, place->path, 0644), APR_SUCCESS);
    assert_int_equal(symlink(other, place->path), 0);
    assert_int_equal(amgr_replace_commit(&file), APR_EGENERAL);
    assert_int_equal(file.error, AMGR_REPLACE_NOT_REGULAR);
    assert_content(other, "precious");
    assert_int_equal(entries(place, 0), 2);
}

/* A reader's file is always whole: 5,000 times the same letter. */
static int read_whole(const char *path)
{
    char buf[6000];
    int fd = open(path, O_RDONLY);
    ssize_t len;
    ssize_t i;

    if (fd < 0) {
        return 0;
    }
    len = read(fd, buf, sizeof(buf));
    close(fd);
    for (i = 1; i < len; i++) {
        if (buf[i] != buf[0]) {
            return 0;
        }
    }
    return len == 5000;
}

static void write_letters(const char *path, int letter)
{
    amgr_replace_file_t file;
    int i;

    assert_int_equal(amgr_replace_begin(&file, path, 0644), APR_SUCCESS);
    for (i = 0; i < 5000; i++) {
        amgr_sink_putc(&file.sink, (char)letter);
    }
    assert_int_equal(amgr_replace_commit(&file), APR_SUCCESS);
}

/* One reads all the while that it is rewritten ten thousand times. */
static void test_readers(void **state)
{
    place_t *place = *state;
    int *is_over = mmap(NULL, sizeof(*is_over), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    pid_t child;
    int i;

    assert_ptr_not_equal(is_over, MAP_FAILED);
    write_letters(place->path, 'z');
    child = fork();
    if (child == 0) {
        do {
            if (!read_whole(place->path)) {
                _exit(1);
            }
        } while (!__atomic_load_n(is_over, __ATOMIC_RELAXED));
        _exit(0);
    }
    for (i = 0; i < 10000; i++) {
        write_letters(place->path, 'a' + i % 26);
    }
    __atomic_store_n(is_over, 1, __ATOMIC_RELAXED);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    munmap(is_over, sizeof(*is_over));
}

static void test_texts(void **state)
{
    int a;
    int b;

    (void)state; /* cmocka's signature */
    for (a = 0; a < AMGR_REPLACE_ERROR_COUNT; a++) {
        for (b = 0; b < a; b++) {
            assert_string_not_equal(
                amgr_replace_error_text((amgr_replace_error_e)a),
                amgr_replace_error_text((amgr_replace_error_e)b));
        }
    }
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACED(test_new_and_old),       PLACED(test_nothing_but_regular),
        PLACED(test_hard_link),         PLACED(test_directories),
        PLACED(test_foreign_in_sticky), PLACED(test_bad_paths),
        PLACED(test_longest_name),      PLACED(test_read_only_dir),
        PLACED(test_disk_full),         PLACED(test_abort),
        PLACED(test_planted_meanwhile), PLACED(test_readers),
        cmocka_unit_test(test_texts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
