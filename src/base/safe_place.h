/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a directory is one to put a file in by its name.
 */
#ifndef AMGR_SAFE_PLACE_H
#define AMGR_SAFE_PLACE_H

/** Whether the directory of @a path, which is absolute, is one that only its
 * owner, or under the sticky bit everybody for themselves, can change. */
int amgr_place_is_safe(const char *path);

/** Whether, besides, it is root's or our own and no group can change it
 * either: nobody else can put something in the place of our file. */
int amgr_place_is_ours(const char *path);

#endif
