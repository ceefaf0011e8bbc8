/* SPDX-License-Identifier: Apache-2.0
 *
 * See json_line.h.
 */
#include "base/json_line.h"

#include <string.h>

static const char *const not_an_object = "not a flat JSON object";

/** What is left of the line. */
typedef struct rest_t {
    const char *at;
    const char *end;
} rest_t;

static void skip_space(rest_t *rest)
{
    while (rest->at < rest->end &&
           (*rest->at == ' ' || *rest->at == '\t' || *rest->at == '\r')) {
        rest->at++;
    }
}

/* Whether this is the next character, which is then behind. */
static int take(rest_t *rest, char c)
{
    skip_space(rest);
    if (rest->at < rest->end && *rest->at == c) {
        rest->at++;
        return 1;
    }
    return 0;
}

static int is_plain(char c)
{
    return c >= ' ' && c < 0x7f && c != '\\';
}

/* A text with its quotes; NULL when it is none that can be known here. */
static const char *read_text(rest_t *rest, char out[AMGR_JSON_WORD_LEN])
{
    apr_size_t len = 0;

    if (!take(rest, '"')) {
        return NULL;
    }
    while (rest->at < rest->end && *rest->at != '"') {
        if (!is_plain(*rest->at) || len == AMGR_JSON_WORD_LEN - 1) {
            return NULL;
        }
        out[len++] = *rest->at++;
    }
    out[len] = '\0';
    return take(rest, '"') ? out : NULL;
}

static int is_digit(const rest_t *rest)
{
    return rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9';
}

static const char *read_number(rest_t *rest, amgr_json_member_t *member)
{
    const char *begin;
    apr_int64_t number = 0;

    skip_space(rest);
    begin = rest->at;
    for (; is_digit(rest); rest->at++) {
        int digit = *rest->at - '0';

        if (number > (APR_INT64_MAX - digit) / 10) {
            return "out of range";
        }
        number = number * 10 + digit;
    }
    if (rest->at == begin || (*begin == '0' && rest->at - begin > 1)) {
        return "not a whole number";
    }
    if (rest->at < rest->end &&
        (*rest->at == '.' || *rest->at == 'e' || *rest->at == 'E')) {
        return "not a whole number";
    }
    if (number < member->least || number > member->most) {
        return "out of range";
    }
    member->number = number;
    return NULL;
}

static const char *read_switch(rest_t *rest, amgr_json_member_t *member)
{
    static const char *const words[] = {"false", "true"};
    int i;

    skip_space(rest);
    for (i = 0; i < 2; i++) {
        apr_size_t len = strlen(words[i]);

        if ((apr_size_t)(rest->end - rest->at) >= len &&
            memcmp(rest->at, words[i], len) == 0) {
            rest->at += len;
            member->number = i;
            return NULL;
        }
    }
    return "neither true nor false";
}

static const char *read_value(rest_t *rest, amgr_json_member_t *member)
{
    switch (member->type) {
    case AMGR_JSON_NUMBER:
        return read_number(rest, member);
    case AMGR_JSON_SWITCH:
        return read_switch(rest, member);
    default:
        return read_text(rest, member->word) == NULL ? "not a plain word"
                                                     : NULL;
    }
}

static amgr_json_member_t *find(amgr_json_member_t *members, int count,
                                const char *name)
{
    int i;

    for (i = 0; i < count; i++) {
        if (strcmp(members[i].name, name) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

/* One member, name and value. */
static const char *read_member(rest_t *rest, amgr_json_member_t *members,
                               int count, const amgr_json_member_t **out_wrong)
{
    char name[AMGR_JSON_WORD_LEN];
    amgr_json_member_t *member;
    const char *wrong;

    if (read_text(rest, name) == NULL || !take(rest, ':')) {
        return not_an_object;
    }
    member = find(members, count, name);
    if (member == NULL) {
        return "an unknown member";
    }
    wrong = member->given ? "stands twice" : read_value(rest, member);
    if (wrong != NULL) {
        *out_wrong = member;
        return wrong;
    }
    member->given = 1;
    return NULL;
}

static const char *read_object(rest_t *rest, amgr_json_member_t *members,
                               int count, const amgr_json_member_t **out_wrong)
{
    const char *wrong;

    if (!take(rest, '{')) {
        return not_an_object;
    }
    if (!take(rest, '}')) {
        do {
            wrong = read_member(rest, members, count, out_wrong);
            if (wrong != NULL) {
                return wrong;
            }
        } while (take(rest, ','));
        if (!take(rest, '}')) {
            return not_an_object;
        }
    }
    skip_space(rest);
    return rest->at == rest->end ? NULL : "more than one object";
}

const char *amgr_json_line_parse(const char *text, apr_size_t len,
                                 amgr_json_member_t *members, int count,
                                 const amgr_json_member_t **out_wrong)
{
    rest_t rest = {text, text + len};
    const char *wrong;
    int i;

    *out_wrong = NULL;
    for (i = 0; i < count; i++) {
        members[i].given = 0;
        members[i].number = 0;
        members[i].word[0] = '\0';
    }
    wrong = read_object(&rest, members, count, out_wrong);
    for (i = 0; i < count && wrong != NULL; i++) {
        members[i].given = 0;
    }
    return wrong;
}
