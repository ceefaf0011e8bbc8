/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests only: decoy UID GID NAME FILE.  A process of this name and this
 * user (those of -1: as it is) that writes into FILE who signals it, and ends
 * with whoever started it.
 */
#include "decoy.h"

#include <grp.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int file;
    int uid;
    int gid;

    decoy_be_deaf();
    if (argc != 5) {
        return 2;
    }
    uid = atoi(argv[1]);
    gid = atoi(argv[2]);
    file = open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) {
        return 1;
    }
    if (uid >= 0 && (setgroups(0, NULL) != 0 || setgid((gid_t)gid) != 0 ||
                     setuid((uid_t)uid) != 0)) {
        return 1;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, argv[3]);
    decoy_live(file);
    return 0;
}
