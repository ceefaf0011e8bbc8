/* SPDX-License-Identifier: Apache-2.0
 *
 * See wsgi.h.
 */
#include "httpd/wsgi.h"

#include <string.h>
#include <strings.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <http_config.h>

#include "httpd/log.h"
#include "model/child.h"
#include "policy/sections.h"

#define DAEMON_DIRECTIVE "WSGIDaemonProcess"
#define DISPLAY_OPTION "display-name"

/** The uncut title of a daemon, or NULL when it is given none: options are
 * NAME=VALUE, and it is the value alone that may be quoted. */
static const char *read_title(const char *args, const char *name, apr_pool_t *p)
{
    const char *title = NULL;
    const char *equals;

    while ((equals = strchr(args, '=')) != NULL) {
        const char *value = equals + 1;
        const char *word = ap_getword_conf(p, &value);

        args += strspn(args, " \t");
        if ((apr_size_t)(equals - args) == strlen(DISPLAY_OPTION) &&
            strncasecmp(args, DISPLAY_OPTION, strlen(DISPLAY_OPTION)) == 0) {
            title = word;
        }
        args = value;
    }
    if (title != NULL && strcmp(title, "%{GROUP}") == 0) {
        title = apr_pstrcat(p, "(wsgi:", name, ")", NULL);
    }
    return title;
}

static void add(apr_array_header_t *groups, const char *args,
                apr_size_t title_len, apr_pool_t *p)
{
    const char *name = ap_getword_conf(p, &args);
    const char *title = read_title(args, name, p);
    amgr_wsgi_group_t group;
    amgr_wsgi_group_t *known = (amgr_wsgi_group_t *)groups->elts;
    int i;

    if (title == NULL || *title == '\0' || title_len == 0) {
        return;
    }
    if (title_len >= sizeof(group.title)) {
        title_len = sizeof(group.title) - 1;
    }
    apr_cpystrn(group.title, title, title_len + 1);
    apr_snprintf(group.name, sizeof(group.name), "%s%s",
                 amgr_group_is_reserved(name) ? AMGR_GROUP_PREFIX : "", name);
    for (i = 0; i < groups->nelts; i++) {
        if (strcmp(known[i].title, group.title) == 0) {
            char both[sizeof(group.name)];

            apr_snprintf(both, sizeof(both), "%s+%s", known[i].name,
                         group.name);
            apr_cpystrn(known[i].name, both, sizeof(known[i].name));
            return;
        }
    }
    group.named = 0;
    *(amgr_wsgi_group_t *)apr_array_push(groups) = group;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as sections in sections */
static void walk(const ap_directive_t *node, apr_array_header_t *groups,
                 apr_size_t title_len, apr_pool_t *p)
{
    for (; node != NULL; node = node->next) {
        if (strcasecmp(node->directive, DAEMON_DIRECTIVE) == 0) {
            add(groups, node->args, title_len, p);
        }
        if (node->first_child != NULL) {
            walk(node->first_child, groups, title_len, p);
        }
    }
}

void amgr_wsgi_configure(amgr_wsgi_t *wsgi, apr_size_t title_len,
                         apr_pool_t *pconf)
{
    apr_array_header_t *groups =
        apr_array_make(pconf, 4, sizeof(amgr_wsgi_group_t));

    walk(ap_conftree, groups, title_len, pconf);
    wsgi->groups = (amgr_wsgi_group_t *)groups->elts;
    wsgi->count = groups->nelts;
}

static int is_configured(const amgr_wsgi_t *wsgi, const char *name)
{
    int i;

    for (i = 0; i < wsgi->count; i++) {
        if (strcmp(wsgi->groups[i].name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

void amgr_wsgi_check_sections(server_rec *s, const amgr_wsgi_t *wsgi,
                              const amgr_limits_t *limits)
{
    int i;

    for (i = 0; i < limits->section_count; i++) {
        const amgr_section_t *section = &limits->sections[i];
        char shown[sizeof(section->name)];

        if (section->role != AMGR_ROLE_WSGI ||
            is_configured(wsgi, section->name)) {
            continue;
        }
        apr_snprintf(shown, sizeof(shown), AMGR_GROUP_PREFIX "%s",
                     section->name);
        if (amgr_group_is_reserved(section->name) &&
            is_configured(wsgi, shown)) {
            amgr_log(s, AMGR_TAG_NO_GROUP, APLOG_WARNING, 0,
                     "<ManagerGroup %s> is for nobody: the WSGI group of that "
                     "name is shown as %s, which is what the section must be "
                     "called",
                     section->name, shown);
            continue;
        }
        amgr_log(s, AMGR_TAG_NO_GROUP, APLOG_WARNING, 0,
                 "<ManagerGroup %s> is for nobody: neither native nor daemon, "
                 "nor the name of a WSGI group with a display-name, as it is "
                 "shown",
                 section->name);
    }
}

void amgr_wsgi_choose(amgr_wsgi_t *wsgi, const amgr_limits_t *limits)
{
    int left = AMGR_GROUPS_WSGI;
    int pass;
    int i;

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < wsgi->count && left > 0; i++) {
            amgr_wsgi_group_t *group = &wsgi->groups[i];
            int limited =
                amgr_sections_find(limits, group->name, AMGR_ROLE_WSGI) != NULL;

            if (limited == (pass == 0)) {
                group->named = 1;
                left--;
            }
        }
    }
}

/** Length without the blanks that mod_wsgi fills a short title up with. */
static apr_size_t trimmed_len(const char *title)
{
    apr_size_t len = strlen(title);

    while (len > 0 && title[len - 1] == ' ') {
        len--;
    }
    return len;
}

const amgr_wsgi_group_t *amgr_wsgi_find(const amgr_wsgi_t *wsgi,
                                        const char *title)
{
    apr_size_t len = trimmed_len(title);
    int i;

    for (i = 0; i < wsgi->count; i++) {
        const char *configured = wsgi->groups[i].title;

        if (trimmed_len(configured) == len &&
            strncmp(configured, title, len) == 0) {
            return &wsgi->groups[i];
        }
    }
    return NULL;
}
