/* SPDX-License-Identifier: Apache-2.0
 *
 * What the module keeps while the server runs: the only mutable state outside
 * of configuration.  One record in the process's pool, found again after every
 * restart, although the module itself is unloaded and loaded anew.  It holds
 * no pointers to code, for the code may come back at another address or in
 * another version.
 *
 * Another build makes a record of its own and takes the head over, which never
 * changes, its structs included: whatever is added stands behind it.
 */
#ifndef AMGR_RUNTIME_H
#define AMGR_RUNTIME_H

#include <httpd.h>

#include "httpd/board_file.h"
#include "httpd/children.h"
#include "httpd/config.h"
#include "httpd/mailbox.h"
#include "model/child.h"
#include "policy/budget.h"

/** Of the mailbox's memory and of the notes in it, what they name included:
 * another build reads those of the same version alone. */
#define AMGR_NOTES_VERSION 1

/** The process that ticks in the parent's stead. */
typedef struct amgr_ticker_state_t {
    pid_t pid;      /**< 0: there is none, reaped beyond doubt */
    int pidfd;      /**< see proc_child.h; -1: there is none */
    int is_silent;  /**< it was so at the last look */
    int killed;     /**< SIGKILL was sent to it */
    int failed;     /**< its end is a fault, to be counted */
    int registered; /**< APR tells us when the MPM reaps it */
    apr_time_t forked_mono_us;
    apr_time_t retry_mono_us; /**< not forked again before this */
} amgr_ticker_state_t;

typedef struct amgr_runtime_t {
    /* The head. */
    apr_uint32_t version; /**< AMGR_RUNTIME_VERSION of who made it */
    apr_uint32_t size;    /**< sizeof(amgr_runtime_t) likewise */
    pid_t parent;         /**< the httpd parent; children compare it */
    amgr_board_place_e place;
    amgr_board_file_t board; /**< which tells by itself how to read it */
    void *children_memory;   /**< as does this; see private_memory.h */
    apr_size_t children_size;
    amgr_ticker_state_t ticker; /**< never left alone, whoever has forked it */
    char data_file[1024];       /**< that this server writes; empty: none */
    apr_uint32_t notes_version; /**< AMGR_NOTES_VERSION of these */
    apr_int32_t notes_from;     /**< the first generation that writes them:
                                     those before write for another build */
    amgr_mailbox_t mailbox;     /**< where workers of before write still */
    amgr_budgets_t budgets; /**< time limits; a child has those of its fork */
    /* What each build finds out by itself. */
    amgr_board_owner_t owner;
    int one_process; /**< -X: there are no children */
    int children_max;
    int server_limit;
    int thread_limit;
} amgr_runtime_t;

/** While hooks are registered: have what is the parent's alone closed in every
 * child. */
void amgr_runtime_register(void);

/** The current record, or NULL where the module could not set itself up. */
amgr_runtime_t *amgr_runtime(void);

/**
 * Find the record or make it, at each start and restart of the server.
 * @a one_process: under -X the board is in memory alone, since the one process
 * gives up the right to remove a file.  Returns NULL (logged) when there can
 * be none.
 */
amgr_runtime_t *amgr_runtime_setup(server_rec *s, int one_process,
                                   apr_pool_t *pconf);

/** The record of this build that the process's pool @a p has, or NULL. */
amgr_runtime_t *amgr_runtime_record(apr_pool_t *p);

/** The same of whichever build: its head alone can be read. */
amgr_runtime_t *amgr_runtime_head(apr_pool_t *p);

/** A child has begun its life: what is the parent's alone is gone here. */
void amgr_runtime_enter_child(void);

/** Whether this very process is the httpd parent. */
int amgr_runtime_is_parent(const amgr_runtime_t *runtime);

amgr_board_t *amgr_runtime_board(const amgr_runtime_t *runtime);
amgr_children_t *amgr_runtime_children(const amgr_runtime_t *runtime);

/** Where the data file goes, or NULL when none is to be written. */
const char *amgr_runtime_data_file(const amgr_runtime_t *runtime,
                                   const amgr_config_t *config, apr_pool_t *p);

#endif
