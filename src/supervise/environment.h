/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment of a managed process, put together from nothing: what httpd
 * was started with does not reach it unless it is passed by name.
 *
 * Files of NAME=value lines are read as systemd.exec(5) describes them, but
 * strictly: a line that is none of these is an error, since a file that was
 * meant otherwise shall be found out before the process is, and since the file
 * may be a link to something that is nobody's environment.  Blank lines and
 * lines that begin with # or ; are left out; a value may be quoted, whole or
 * in parts, and go on after a backslash at the end of the line; nothing is
 * expanded and no shell runs.
 *
 * No pool and no allocation: everything is in the caller's storage, which is
 * large, so not on a stack.  A later value takes the place of an earlier one.
 */
#ifndef AMGR_ENVIRONMENT_H
#define AMGR_ENVIRONMENT_H

#include "base/base.h"
#include "supervise/identity.h"

#define AMGR_ENVIRONMENT_VARS_MAX 1024
#define AMGR_ENVIRONMENT_BYTES_MAX (256 * 1024)
#define AMGR_ENVIRONMENT_FILE_MAX (64 * 1024)

typedef struct amgr_environment_t {
    char *vars[AMGR_ENVIRONMENT_VARS_MAX + 1]; /**< for execve(2) */
    int count;
    apr_size_t used;
    char bytes[AMGR_ENVIRONMENT_BYTES_MAX];
} amgr_environment_t;

/** No variable at all. */
void amgr_environment_init(amgr_environment_t *environment);

/** APR_ENOSPC: there is no room, and nothing was changed. */
apr_status_t amgr_environment_set(amgr_environment_t *environment,
                                  const char *name, const char *value);

/** The value, or NULL. */
const char *amgr_environment_get(const amgr_environment_t *environment,
                                 const char *name);

/**
 * Take the variables of @a text, which may hold any bytes.  NULL, or what is
 * wrong with line *out_line (from 1): a clause without the bytes of the text,
 * which may be a secret.  Then the variables before it are set.
 */
const char *amgr_environment_parse(amgr_environment_t *environment,
                                   const char *text, apr_size_t len,
                                   int *out_line);

/**
 * Take the variables of a file, which is regular and of at most
 * AMGR_ENVIRONMENT_FILE_MAX bytes.  With a "-" before its path it may be
 * missing.  On failure @a why tells the path and more, and the answer is an
 * errno, or APR_EGENERAL where there is none.  May wait for the disk: for the
 * process that is to have the environment, not for who looks after it.
 *
 * It is read with our own rights, but in a directory that others can change
 * (trusted_open.h) with those of @a user: nobody is given to read by us what
 * he cannot read himself.
 */
apr_status_t amgr_environment_read(amgr_environment_t *environment,
                                   const char *path,
                                   const amgr_identity_t *user, char *why,
                                   apr_size_t size);

#endif
