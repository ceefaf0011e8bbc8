/* SPDX-License-Identifier: Apache-2.0
 *
 * The sections of groups: <ManagerGroup NAME>.  The directives in one are
 * those of the server with the same setters; this file says which may stand in
 * whose section, and leads their values to it.
 */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "httpd/directive_parts.h"
#include "httpd/directives_reasons.h"
#include "policy/sections.h"

#define ROLE(role) (1u << (role))
#define ROLE_ANY \
    (ROLE(AMGR_ROLE_WORKER) | ROLE(AMGR_ROLE_WSGI) | ROLE(AMGR_ROLE_DAEMON))

static const struct member_t {
    const char *name;
    apr_size_t offset; /**< in amgr_section_t */
    unsigned int roles;
} members[] = {
    {"ManagerMaxMemoryActive",
     offsetof(amgr_section_t, max_memory_active_bytes), ROLE_ANY},
    {"ManagerMaxMemoryIdle", offsetof(amgr_section_t, max_memory_idle_bytes),
     ROLE(AMGR_ROLE_WORKER)},
    {"ManagerHardMemory", offsetof(amgr_section_t, hard_memory_bytes),
     ROLE_ANY},
    {"ManagerMaxLifetime", offsetof(amgr_section_t, max_lifetime_us), ROLE_ANY},
    {"ManagerGracePeriod", offsetof(amgr_section_t, grace_us), ROLE_ANY},
    {"ManagerAskSignal", offsetof(amgr_section_t, ask_signal),
     ROLE(AMGR_ROLE_WSGI) | ROLE(AMGR_ROLE_DAEMON)},
};

static const struct member_t *find_member(const char *name)
{
    apr_size_t i;

    for (i = 0; i < AMGR_COUNT(members); i++) {
        if (strcasecmp(members[i].name, name) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

static amgr_config_t *config_of(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config,
                                &apache_manager_module);
}

void *amgr_section_member(cmd_parms *cmd)
{
    amgr_section_t *section = config_of(cmd)->section;
    const struct member_t *found = find_member(cmd->cmd->name);

    return section == NULL || found == NULL ? NULL
                                            : (char *)section + found->offset;
}

static int role_of(const char *name)
{
    if (strcmp(name, "native") == 0) {
        return AMGR_ROLE_WORKER;
    }
    return strcmp(name, "daemon") == 0 ? AMGR_ROLE_DAEMON : AMGR_ROLE_WSGI;
}

/* Add a section; NULL or why it cannot be. */
static const char *add(cmd_parms *cmd, const char *name)
{
    amgr_config_t *config = config_of(cmd);
    amgr_limits_t *limits = &config->limits;
    amgr_section_t *section;
    char cut[AMGR_GROUP_NAME_LEN]; /* as names of groups are */

    apr_cpystrn(cut, name, sizeof(cut));
    if (amgr_sections_find(limits, cut, role_of(cut)) != NULL) {
        return refuse(cmd, name, "one section for each group");
    }
    if (limits->section_count >= AMGR_SECTIONS_MAX) {
        return refuse(
            cmd, name,
            apr_psprintf(cmd->pool, "at most %d sections", AMGR_SECTIONS_MAX));
    }
    section = &limits->sections[limits->section_count++];
    memset(section, 0, sizeof(*section)); /* AMGR_LIMIT_INHERITED */
    apr_cpystrn(section->name, cut, sizeof(section->name));
    section->role = role_of(cut);
    if (section->role == AMGR_ROLE_DAEMON) {
        /* What the server's limits were never meant for: only what the section
         * itself says holds. */
        section->max_memory_active_bytes = AMGR_LIMIT_OFF;
        section->hard_memory_bytes = AMGR_LIMIT_OFF;
        section->max_lifetime_us.limit = AMGR_LIMIT_OFF;
    }
    config->section = section;
    return NULL;
}

/* Everything in the section, before any of it is read: another directive would
 * set what is the whole server's. */
static const char *check_members(cmd_parms *cmd, int role)
{
    const ap_directive_t *node;

    for (node = cmd->directive->first_child; node != NULL; node = node->next) {
        const struct member_t *found = find_member(node->directive);

        if (found == NULL || (found->roles & ROLE(role)) == 0) {
            cmd->err_directive = node;
            return refuse(cmd, node->directive,
                          role == AMGR_ROLE_WORKER
                              ? "a limit that workers can have of their own"
                              : "a limit that daemons can have of their own");
        }
    }
    return NULL;
}

const char *amgr_set_ask_signal(cmd_parms *cmd, void *unused, const char *value)
{
    apr_int32_t *own = amgr_section_member(cmd);
    int number = amgr_sections_signal_number(value);

    (void)unused; /* per-directory configuration: there is none */
    if (own == NULL) {
        return apr_psprintf(cmd->pool,
                            "%s: belongs in the <ManagerGroup> section of "
                            "daemons",
                            cmd->cmd->name);
    }
    if (number == 0) {
        return refuse(cmd, value,
                      "one of TERM, USR1, USR2, HUP, INT, QUIT, WINCH");
    }
    *own = number;
    return NULL;
}

const char *amgr_set_section(cmd_parms *cmd, void *unused, const char *args)
{
    const char *end = ap_strrchr_c(args, '>');
    const char *wrong = misplaced(cmd);
    const char *name;

    (void)unused; /* per-directory configuration: there is none */
    if (wrong != NULL) {
        return wrong;
    }
    args = end == NULL
               ? args
               : apr_pstrmemdup(cmd->pool, args, (apr_size_t)(end - args));
    name = ap_getword_conf(cmd->pool, &args);
    if (end == NULL || end[1] != '\0' || *name == '\0' || *args != '\0') {
        return refuse(cmd, name, "the name of one group, and >");
    }
    wrong = add(cmd, name);
    if (wrong == NULL) {
        wrong = check_members(cmd, role_of(name));
    }
    if (wrong == NULL) {
        wrong = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    }
    config_of(cmd)->section = NULL;
    return wrong;
}
