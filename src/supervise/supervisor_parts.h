/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor, for its own files: what it has, and what each file does for
 * the others.
 */
#ifndef AMGR_SUPERVISOR_PARTS_H
#define AMGR_SUPERVISOR_PARTS_H

#include "base/clock.h"
#include "supervise/order/order_socket.h"
#include "supervise/supervisor.h"
#include "supervise/ward.h"

/** Those of the configuration, and of former ones that are not gone yet. */
#define AMGR_WARDS_MAX (4 * AMGR_MANAGED_MAX)

/** What it is about. */
typedef enum amgr_phase_e {
    AMGR_PHASE_LIVE = 0,
    AMGR_PHASE_SHUT,   /**< all are stopped for good; it lives on */
    AMGR_PHASE_ENDING, /**< all are stopped, then it ends */
    AMGR_PHASE_ALONE   /**< the parent is gone: all at once, then it ends */
} amgr_phase_e;

struct amgr_supervisor_t {
    amgr_supervisor_setup_t setup;
    amgr_teller_t teller;
    apr_pool_t *pool;
    amgr_instant_t now; /**< of this turn */
    int phase;          /**< amgr_phase_e */
    int was_shut;       /**< the last supervisor, by an order */
    int is_applied;     /**< a configuration has come */
    int is_signalled;   /**< it ends for that, and not by the parent's word:
                             another follows */
    int is_waiting;     /**< for the guards of the last supervisor */
    int is_warned;      /**< that this takes long */
    int is_left_recent; /**< see supervisor_left.c */
    int is_left_killed;
    int has_strays;  /**< children that nobody knows were there lately */
    int stray_looks; /**< that have found some, one after the other */
    int start_in_order;
    int exit_when_done;
    int is_done;  /**< the server was told so */
    int is_dirty; /**< something changed that is to be published now */
    int signal_fd;
    amgr_proc_dir_t proc;
    apr_time_t begun_us;      /**< all of these monotonic */
    apr_time_t beat_us;       /**< last published */
    apr_time_t measure_us;    /**< trees are measured next */
    apr_time_t end_due_us;    /**< it ends then, whatever is left */
    apr_time_t left_kill_us;  /**< what is left is killed from then */
    apr_time_t left_look_us;  /**< looked at again then */
    apr_time_t left_until_us; /**< and no longer than until then */
    apr_time_t expect_us;     /**< a configuration has to come before this */
    apr_time_t blind_us;      /**< when it was said that /proc is not read */
    int is_put_off; /**< the last one could not be taken, as was said */
    amgr_ward_t *wards[AMGR_WARDS_MAX]; /**< each malloc'ed; by place, and those
                                             removed behind */
    int ward_count;
    int lock_fd; /**< of the lock, whether it is held or not; -1: not open */
    amgr_order_socket_t *orders;
    amgr_managed_table_t table; /**< as published */
    amgr_managed_table_t last;  /**< of the supervisor before */
};

/* supervisor_message.c */

/** What the parent sent; nothing is believed that was not checked. */
void amgr_supervisor_hear_parent(amgr_supervisor_t *supervisor);

/** After a restart: end when no configuration has come in time. */
void amgr_supervisor_look_expected(amgr_supervisor_t *supervisor);

/* supervisor_apply.c */

/** Take a configuration: packed specifications of @a len bytes.  0: not, or not
 * all of it, since there was no room; it may be tried again. */
int amgr_supervisor_apply(amgr_supervisor_t *supervisor, const char *bytes,
                          apr_size_t len, const amgr_parent_message_t *message);

/** Forget those that were removed and are gone; but not one that stands between
 * others whose stop is not over. */
void amgr_supervisor_bury(amgr_supervisor_t *supervisor);

/* supervisor_left.c */

/** Note the runs that the last supervisor has not seen the end of. */
void amgr_supervisor_inherit_left(amgr_supervisor_t *supervisor);

/** End them: non-zero when nothing is left, or nothing more can be done.  Not
 * before the guards of that supervisor are gone. */
int amgr_supervisor_end_left(amgr_supervisor_t *supervisor);

/* supervisor_order.c */

/** Start and stop what can be, until nothing changes any more. */
void amgr_supervisor_settle(amgr_supervisor_t *supervisor);

/** Stop all, in reverse order. */
void amgr_supervisor_leave(amgr_supervisor_t *supervisor, int phase);

/** Stop all at once, since the parent is gone. */
void amgr_supervisor_flee(amgr_supervisor_t *supervisor);

/** Whether one of those that @a by marks, a char for each ward, is in the way
 * of the start of @a ward, which may be by way of others that have ended. */
int amgr_supervisor_is_blocked(const amgr_supervisor_t *supervisor,
                               const amgr_ward_t *ward, const char *by);

/** One that is to be stopped too, is not gone, and comes after @a ward, also by
 * way of others, which may have ended long ago; or NULL. */
const amgr_ward_t *amgr_supervisor_user(const amgr_supervisor_t *supervisor,
                                        const amgr_ward_t *ward);

/** Whether something is left of any run. */
int amgr_supervisor_is_busy(const amgr_supervisor_t *supervisor);

/* supervisor_done.c */

/** Mark those that wait for what does not come by itself. */
void amgr_supervisor_look_stuck(amgr_supervisor_t *supervisor);

/** Tell the server once that all its processes have done their work. */
void amgr_supervisor_look_done(amgr_supervisor_t *supervisor);

/* supervisor_reap.c */

/** Reap every child that has ended, and kill what nobody knows. */
void amgr_supervisor_reap(amgr_supervisor_t *supervisor);

/** A reading of supervisor->proc has failed: say why, once a minute. */
void amgr_supervisor_say_blind(amgr_supervisor_t *supervisor);

/* supervisor_lock.c */

/** Take the lock.  0: whoever has it has not ended yet. */
int amgr_supervisor_lock(amgr_supervisor_t *supervisor);

/** At the end: nothing of it stays behind. */
void amgr_supervisor_unlock(amgr_supervisor_t *supervisor);

/* supervisor_table.c */

/** Take over counters of the last supervisor, and who was stopped by order. */
void amgr_supervisor_inherit(amgr_supervisor_t *supervisor);
void amgr_supervisor_inherit_row(amgr_supervisor_t *supervisor,
                                 amgr_ward_t *ward);

/** Publish when something changed, or it is time for a beat. */
void amgr_supervisor_publish(amgr_supervisor_t *supervisor, int force);

/** Set whether a ward is ready, and count the change. */
void amgr_supervisor_set_ready(amgr_supervisor_t *supervisor, amgr_ward_t *ward,
                               int ready);

/** A clause of text, cut to fit. */
void amgr_supervisor_text(char *out, apr_size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
