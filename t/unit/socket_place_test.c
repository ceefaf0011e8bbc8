/* SPDX-License-Identifier: Apache-2.0
 *
 * The place of a socket: whose it is and who may connect, what stood there
 * before, what becomes of it, and the directories that are none for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "scratch.h"

#include "base/socket_place.h"

#define NOBODY 65534

typedef struct scene_t {
    char dir[SCRATCH_SIZE];
    char path[80];
    amgr_socket_place_t place;
} scene_t;

static int setup(void **state)
{
    scene_t *scene = calloc(1, sizeof(*scene));

    if (scratch_make(scene->dir, 0755) != 0) {
        return -1;
    }
    snprintf(scene->path, sizeof(scene->path), "%s/x.sock", scene->dir);
    amgr_socket_place_init(&scene->place, scene->path, geteuid());
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    scene_t *scene = *state;
    struct dirent *entry;
    DIR *dir;

    amgr_socket_place_close(&scene->place);
    chmod(scene->dir, 0700);
    dir = opendir(scene->dir);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(scene->dir);
    free(scene);
    return 0;
}

/* As after the time between two looks. */
static int look(scene_t *scene)
{
    scene->place.look_mono_us = 0;
    return amgr_socket_place_look(&scene->place);
}

static int connects(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int rv;

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    rv = connect(fd, (struct sockaddr *)&address, sizeof(address));
    close(fd);
    return rv == 0;
}

/* A socket that another process left, or in which it still listens. */
static int bind_other(const char *path, int backlog)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&address, 0, sizeof(address));
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (backlog >= 0) {
        assert_int_equal(listen(fd, backlog), 0);
    }
    return fd;
}

static mode_t mode_of(const char *path, uid_t *out_uid)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    *out_uid = st.st_uid;
    return st.st_mode & 07777;
}

static void it_is_made_and_taken_away(void **state)
{
    scene_t *scene = *state;
    mode_t mask = umask(0);
    uid_t uid;

    assert_int_equal(amgr_socket_place_look(&scene->place), AMGR_SOCKET_OPENED);
    assert_int_equal(mode_of(scene->path, &uid), 0600);
    assert_int_equal(uid, geteuid());
    assert_int_equal(umask(mask), 0);
    assert_true(connects(scene->path));
    assert_null(scene->place.wrong);
    /* A moment later nobody looks, and then there is nothing new. */
    assert_int_equal(amgr_socket_place_look(&scene->place), AMGR_SOCKET_SAME);
    assert_true(scene->place.look_mono_us > 0);
    assert_int_equal(look(scene), AMGR_SOCKET_SAME);
    amgr_socket_place_close(&scene->place);
    assert_int_equal(scene->place.fd, -1);
    assert_int_equal(access(scene->path, F_OK), -1);
    amgr_socket_place_close(&scene->place);
}

static void nothing_is_done_without_a_path(void **state)
{
    amgr_socket_place_t place;

    (void)state; /* cmocka's signature */
    amgr_socket_place_init(&place, NULL, 0);
    assert_int_equal(amgr_socket_place_look(&place), AMGR_SOCKET_SAME);
    assert_int_equal(place.fd, -1);
    amgr_socket_place_close(&place);
}

static void it_is_made_again(void **state)
{
    scene_t *scene = *state;

    assert_int_equal(look(scene), AMGR_SOCKET_OPENED);
    assert_int_equal(unlink(scene->path), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_OPENED);
    assert_true(connects(scene->path));
}

static void what_is_anothers_is_left_alone(void **state)
{
    scene_t *scene = *state;
    int other = bind_other(scene->path, 8);
    struct stat st;

    assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
    assert_string_equal(scene->place.wrong,
                        "something else is there, which is left alone");
    assert_int_equal(scene->place.error, EADDRINUSE);
    /* Told once. */
    assert_int_equal(look(scene), AMGR_SOCKET_SAME);
    assert_int_equal(scene->place.failures, 2);
    assert_true(connects(scene->path));
    close(other);
    /* Nobody is there any more. */
    assert_int_equal(look(scene), AMGR_SOCKET_RECOVERED);
    assert_int_equal(scene->place.failures, 2);
    /* What took its place meanwhile is not taken away. */
    assert_int_equal(unlink(scene->path), 0);
    close(open(scene->path, O_CREAT | O_WRONLY, 0600));
    amgr_socket_place_close(&scene->place);
    assert_int_equal(lstat(scene->path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
    assert_int_equal(unlink(scene->path), 0);
    assert_int_equal(symlink("/tmp/amgr-nowhere", scene->path), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_SAME);
    assert_int_equal(lstat(scene->path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void only_what_is_dead_is_cleaned(void **state)
{
    scene_t *scene = *state;
    int other = bind_other(scene->path, 8);

    assert_false(amgr_socket_place_clean(scene->path, geteuid()));
    close(other);
    if (geteuid() == 0) {
        assert_int_equal(chown(scene->path, NOBODY, NOBODY), 0);
        assert_false(amgr_socket_place_clean(scene->path, 0));
        assert_true(amgr_socket_place_clean(scene->path, NOBODY));
        close(bind_other(scene->path, -1));
    }
    assert_true(amgr_socket_place_clean(scene->path, geteuid()));
    assert_false(amgr_socket_place_clean(scene->path, geteuid()));
}

static void directories_of_all_are_no_place(void **state)
{
    scene_t *scene = *state;

    assert_int_equal(chmod(scene->dir, 0777), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
    assert_string_equal(scene->place.wrong,
                        "its directory is missing, or others may change it");
    assert_int_equal(scene->place.error, 0);
    assert_int_equal(chmod(scene->dir, 01777), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_RECOVERED);
    amgr_socket_place_close(&scene->place);
    assert_int_equal(rmdir(scene->dir), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
    assert_int_equal(mkdir(scene->dir, 0700), 0);
}

static void too_long_a_path_is_none(void **state)
{
    scene_t *scene = *state;
    char path[200];

    snprintf(path, sizeof(path), "%s/%0100d", scene->dir, 1);
    scene->place.path = path;
    assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
    assert_int_equal(scene->place.error, ENAMETOOLONG);
    assert_false(amgr_socket_place_clean(path, geteuid()));
}

/* Only root can give it away. */
static void it_can_be_another_users(void **state)
{
    scene_t *scene = *state;
    uid_t uid;

    scene->place.owner = NOBODY;
    if (geteuid() != 0) {
        assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
        assert_int_equal(scene->place.error, EPERM);
        assert_int_equal(access(scene->path, F_OK), -1);
        return;
    }
    /* There a group could put something in its place. */
    assert_int_equal(chmod(scene->dir, 0775), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_FAILED);
    assert_int_equal(chmod(scene->dir, 0755), 0);
    assert_int_equal(chown(scene->dir, NOBODY, NOBODY), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_SAME);
    assert_int_equal(chown(scene->dir, 0, 0), 0);
    assert_int_equal(look(scene), AMGR_SOCKET_RECOVERED);
    assert_int_equal(mode_of(scene->path, &uid), 0600);
    assert_int_equal(uid, NOBODY);
    assert_int_equal(look(scene), AMGR_SOCKET_SAME);
    /* One that was killed has left it. */
    close(scene->place.fd);
    scene->place.fd = -1;
    assert_int_equal(look(scene), AMGR_SOCKET_OPENED);
    assert_true(connects(scene->path));
    amgr_socket_place_close(&scene->place);
    assert_int_equal(access(scene->path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_made_and_taken_away, setup,
                                        teardown),
        cmocka_unit_test(nothing_is_done_without_a_path),
        cmocka_unit_test_setup_teardown(it_is_made_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_anothers_is_left_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_what_is_dead_is_cleaned, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(directories_of_all_are_no_place, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(too_long_a_path_is_none, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_can_be_another_users, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
