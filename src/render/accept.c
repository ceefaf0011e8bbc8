/* SPDX-License-Identifier: Apache-2.0
 *
 * See accept.h.
 */
#include "render/accept.h"

#include <strings.h>

#include "base/base.h"

#define QUALITY_MAX 1000 /* thousandths, which is all that a q can tell */

/* A piece of a header, which ends nowhere. */
typedef struct piece_t {
    const char *text;
    apr_size_t len;
} piece_t;

typedef struct parameter_t {
    piece_t name;
    piece_t value;
} parameter_t;

/* How exactly a range names a type. */
typedef enum exactness_e {
    NOT_AT_ALL = 0,
    ANY_TYPE,
    ANY_SUBTYPE,
    TYPE,
    VERSION
} exactness_e;

/* What a header thinks of a type. */
typedef struct opinion_t {
    exactness_e exactness;
    int quality;
} opinion_t;

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

static int is_word(const piece_t *piece, const char *word)
{
    return strlen(word) == piece->len &&
           strncasecmp(piece->text, word, piece->len) == 0;
}

static int are_same(const piece_t *a, const piece_t *b)
{
    return a->len == b->len && strncasecmp(a->text, b->text, a->len) == 0;
}

/* Up to one of these characters or the end. */
static const char *read_token(const char *at, const char *ends, piece_t *out)
{
    at = skip_blanks(at);
    out->text = at;
    out->len = strcspn(at, ends);
    at += out->len;
    while (out->len > 0 && is_blank(out->text[out->len - 1])) {
        out->len--;
    }
    return at;
}

/* What stands between quotes, as it stands there: no version needs an escape.
 * An open quote goes on to the end. */
static const char *read_quoted(const char *at, piece_t *out)
{
    at++;
    out->text = at;
    while (*at != '\0' && *at != '"') {
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    }
    out->len = (apr_size_t)(at - out->text);
    if (*at == '"') {
        at++;
    }
    return at + strcspn(at, ";,");
}

/* @a at stands on the semicolon. */
static const char *read_parameter(const char *at, parameter_t *out)
{
    memset(out, 0, sizeof(*out));
    at = read_token(at + 1, "=;,", &out->name);
    if (*at != '=') {
        return at;
    }
    at = skip_blanks(at + 1);
    return *at == '"' ? read_quoted(at, &out->value)
                      : read_token(at, ";,", &out->value);
}

/* Thousandths; what is no number between 0 and 1 is an error, -1.  More digits
 * than there may be are cut; the zero may be missing, as old Java has it. */
static int read_quality(const piece_t *value)
{
    int quality = 0;
    int unit = QUALITY_MAX / 10;
    apr_size_t at = 0;

    if (at < value->len && value->text[at] >= '0' && value->text[at] <= '1') {
        quality = (value->text[at++] - '0') * QUALITY_MAX;
    }
    else if (at == value->len || value->text[at] != '.') {
        return -1;
    }
    if (at < value->len && value->text[at++] != '.') {
        return -1;
    }
    for (; at < value->len; at++) {
        if (value->text[at] < '0' || value->text[at] > '9') {
            return -1;
        }
        quality += (value->text[at] - '0') * unit;
        unit /= 10;
    }
    return quality <= QUALITY_MAX ? quality : -1;
}

/* Both of "type/subtype". */
static exactness_e compare_names(const piece_t *range, const piece_t *type)
{
    const char *slash = memchr(type->text, '/', type->len);
    apr_size_t main_len = (apr_size_t)(slash - type->text) + 1;

    if (is_word(range, "*/*")) {
        return ANY_TYPE;
    }
    if (are_same(range, type)) {
        return TYPE;
    }
    if (range->len == main_len + 1 && range->text[main_len] == '*' &&
        strncasecmp(range->text, type->text, main_len) == 0) {
        return ANY_SUBTYPE;
    }
    return NOT_AT_ALL;
}

/* The version of a content type of ours; empty: it has none. */
static void read_type(const char *type, piece_t *out_name, piece_t *out_version)
{
    const char *at = read_token(type, ";", out_name);
    parameter_t parameter;

    memset(out_version, 0, sizeof(*out_version));
    while (*at == ';') {
        at = read_parameter(at, &parameter);
        if (is_word(&parameter.name, "version")) {
            *out_version = parameter.value;
        }
    }
}

/* One range of the header, with what it thinks of this type; an opinion that
 * cannot be read is none. */
static const char *read_range(const char *at, const piece_t *name,
                              const piece_t *version, opinion_t *out)
{
    parameter_t parameter;
    piece_t range;

    at = read_token(at, ";,", &range);
    out->exactness = compare_names(&range, name);
    out->quality = QUALITY_MAX;
    while (*at == ';') {
        at = read_parameter(at, &parameter);
        if (is_word(&parameter.name, "q")) {
            out->quality = read_quality(&parameter.value);
        }
        else if (is_word(&parameter.name, "version") &&
                 out->exactness >= TYPE && version->len > 0) {
            out->exactness =
                are_same(&parameter.value, version) ? VERSION : NOT_AT_ALL;
        }
    }
    if (out->quality < 0 || out->exactness == NOT_AT_ALL) {
        out->exactness = NOT_AT_ALL;
        out->quality = 0;
    }
    return at;
}

/* The opinion of the range that names the type most exactly, and of several
 * such the best: one may differ from another by what we take as granted. */
static opinion_t opinion_of(const char *accept, const char *type)
{
    opinion_t best = {NOT_AT_ALL, 0};
    opinion_t seen;
    piece_t version;
    piece_t name;

    read_type(type, &name, &version);
    while (*accept != '\0') {
        accept = read_range(accept, &name, &version, &seen);
        if (seen.exactness > best.exactness ||
            (seen.exactness == best.exactness && seen.quality > best.quality)) {
            best = seen;
        }
        if (*accept == ',') {
            accept++;
        }
    }
    return best;
}

int amgr_accept_choose(const char *accept, const char *const *types, int count)
{
    opinion_t best = {NOT_AT_ALL, 0};
    int chosen = 0;
    int i;

    if (accept == NULL) {
        return 0;
    }
    for (i = 0; i < count; i++) {
        opinion_t seen = opinion_of(accept, types[i]);

        if (seen.quality > best.quality ||
            (seen.quality == best.quality && seen.quality > 0 &&
             seen.exactness > best.exactness)) {
            best = seen;
            chosen = i;
        }
    }
    return chosen;
}
