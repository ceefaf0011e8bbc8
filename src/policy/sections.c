/* SPDX-License-Identifier: Apache-2.0
 *
 * See sections.h.
 */
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "policy/sections.h"

/* What asks one server or another to finish; never what cannot be refused. */
static const struct {
    const char *word;
    int number;
} signals[] = {
    {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2},   {"HUP", SIGHUP},
    {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"WINCH", SIGWINCH},
};

const amgr_section_t *amgr_sections_get(const amgr_limits_t *limits,
                                        int section)
{
    if (section < 1 || section > limits->section_count ||
        section > AMGR_SECTIONS_MAX) {
        return NULL;
    }
    return &limits->sections[section - 1];
}

const amgr_section_t *amgr_sections_find(const amgr_limits_t *limits,
                                         const char *name, int role)
{
    const amgr_section_t *section;
    int i;

    for (i = 1; (section = amgr_sections_get(limits, i)) != NULL; i++) {
        if (section->role == role &&
            strncmp(section->name, name, sizeof(section->name)) == 0) {
            return section;
        }
    }
    return NULL;
}

int amgr_sections_index(const amgr_limits_t *limits, const char *name, int role)
{
    const amgr_section_t *section = amgr_sections_find(limits, name, role);

    return section == NULL ? 0 : (int)(section - limits->sections) + 1;
}

/* A process is of its group's section.  Of one in the group for all that are
 * left, whoever collected it knew the name and noted the section. */
static int section_of(const amgr_limits_t *limits,
                      const amgr_snapshot_t *snapshot,
                      const amgr_process_t *process)
{
    const amgr_section_t *own = amgr_sections_get(limits, process->section);
    const amgr_group_t *group;

    if (process->group < 0 || process->group >= snapshot->group_count) {
        return 0;
    }
    group = &snapshot->groups[process->group];
    if (group->role == AMGR_ROLE_OTHER) {
        return own != NULL && own->role == process->role ? process->section : 0;
    }
    return group->role == process->role ? group->section : 0;
}

void amgr_sections_assign(const amgr_limits_t *limits,
                          amgr_snapshot_t *snapshot)
{
    int i;

    for (i = 0; i < snapshot->group_count; i++) {
        amgr_group_t *group = &snapshot->groups[i];

        group->section = amgr_sections_index(limits, group->name, group->role);
    }
    for (i = 0; i < snapshot->process_count; i++) {
        amgr_process_t *process = &snapshot->processes[i];

        process->section = section_of(limits, snapshot, process);
    }
}

static apr_int64_t own_or(apr_int64_t own, apr_int64_t servers)
{
    return own == AMGR_LIMIT_INHERITED ? servers : own;
}

apr_int64_t amgr_sections_active_bytes(const amgr_limits_t *limits, int section)
{
    const amgr_section_t *own = amgr_sections_get(limits, section);

    return own == NULL ? limits->max_memory_active_bytes
                       : own_or(own->max_memory_active_bytes,
                                limits->max_memory_active_bytes);
}

apr_int64_t amgr_sections_idle_bytes(const amgr_limits_t *limits, int section)
{
    const amgr_section_t *own = amgr_sections_get(limits, section);

    return own == NULL ? limits->max_memory_idle_bytes
                       : own_or(own->max_memory_idle_bytes,
                                limits->max_memory_idle_bytes);
}

apr_int64_t amgr_sections_hard_bytes(const amgr_limits_t *limits, int section)
{
    const amgr_section_t *own = amgr_sections_get(limits, section);

    return own == NULL
               ? limits->hard_memory_bytes
               : own_or(own->hard_memory_bytes, limits->hard_memory_bytes);
}

const amgr_jittered_t *amgr_sections_lifetime(const amgr_limits_t *limits,
                                              int section)
{
    const amgr_section_t *own = amgr_sections_get(limits, section);

    return own == NULL || own->max_lifetime_us.limit == AMGR_LIMIT_INHERITED
               ? &limits->max_lifetime_us
               : &own->max_lifetime_us;
}

apr_interval_time_t amgr_sections_grace_us(const amgr_limits_t *limits,
                                           int section)
{
    const amgr_section_t *own = amgr_sections_get(limits, section);

    return own == NULL ? limits->grace_us
                       : own_or(own->grace_us, limits->grace_us);
}

int amgr_sections_signal_number(const char *word)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(signals); i++) {
        if (strcasecmp(signals[i].word, word) == 0) {
            return signals[i].number;
        }
    }
    return 0;
}

const char *amgr_sections_signal_word(int number)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(signals); i++) {
        if (signals[i].number == number) {
            return signals[i].word;
        }
    }
    return "";
}

int amgr_sections_ask_signal(const amgr_limits_t *limits, int role, int section)
{
    const amgr_section_t *own = amgr_sections_get(limits, section);

    switch (role) {
    case AMGR_ROLE_WSGI:
        return own != NULL && own->ask_signal != 0 ? own->ask_signal : SIGUSR1;
    case AMGR_ROLE_DAEMON:
        if (own == NULL) {
            return 0;
        }
        return own->ask_signal != 0 ? own->ask_signal : SIGTERM;
    default:
        return 0;
    }
}

int amgr_sections_limit_memory(const amgr_limits_t *limits)
{
    int i;

    for (i = 0; i == 0 || amgr_sections_get(limits, i) != NULL; i++) {
        if (amgr_sections_active_bytes(limits, i) != AMGR_LIMIT_OFF ||
            amgr_sections_idle_bytes(limits, i) != AMGR_LIMIT_OFF ||
            amgr_sections_hard_bytes(limits, i) != AMGR_LIMIT_OFF) {
            return 1;
        }
    }
    return 0;
}

int amgr_sections_limit_lifetime(const amgr_limits_t *limits)
{
    int i;

    for (i = 0; i == 0 || amgr_sections_get(limits, i) != NULL; i++) {
        if (amgr_sections_lifetime(limits, i)->limit != AMGR_LIMIT_OFF) {
            return 1;
        }
    }
    return 0;
}
