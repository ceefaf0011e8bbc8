/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of several content types a client wants, by its Accept header (RFC
 * 9110, section 12.5.1).  Pure: text in, an index out.  The header is hostile
 * input of any length: it is read once for each type, nothing of it is kept,
 * and what cannot be read of it is passed over.
 */
#ifndef AMGR_ACCEPT_H
#define AMGR_ACCEPT_H

/**
 * The index of the type among @a count @a types that @a accept (may be NULL)
 * likes best.  Where it likes several alike, the one that it names more exactly
 * wins: a client that lists a type means it, and adds a wildcard for want of
 * better.  Then the first; and that one too when nothing is acceptable.
 *
 * A type is as in Content-Type.  Of its parameters only the version counts,
 * since it alone makes another format: a range that asks for another version
 * is none of ours, other parameters of a range are taken as granted.
 */
int amgr_accept_choose(const char *accept, const char *const *types, int count);

#endif
