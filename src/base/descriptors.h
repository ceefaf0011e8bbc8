/* SPDX-License-Identifier: Apache-2.0
 *
 * Closing descriptors wholesale, for a process that has just been forked and
 * must not keep open what its parent had.
 */
#ifndef AMGR_DESCRIPTORS_H
#define AMGR_DESCRIPTORS_H

/** Close the descriptors from @a first to @a last (INT_MAX: all from there).
 * Safe between fork and exec. */
void amgr_descriptors_close(int first, int last);

#endif
