/* SPDX-License-Identifier: Apache-2.0
 *
 * Any lines as what a request that orders something says of itself: Host,
 * Origin, Sec-Fetch-Site, Referer, the fields of its body, a token.  Checked
 * besides memory: a page of the very site that is asked is told from every
 * other, fields are those that a plain reading finds, and only the secret is
 * the secret.
 */
#include "fuzz.h"

#include <strings.h>

#include "base/fields.h"
#include "base/origin.h"

#define SECRET "0123456789abcdef0123456789abcdef"

/* The next line, malloc'ed; NULL for one that is only a dash. */
static char *next_line(fuzz_t *in)
{
    char *line = fuzz_line(in);

    if (strcmp(line, "-") == 0) {
        free(line);
        return NULL;
    }
    return line;
}

static void check_name(const char *host)
{
    char buf[AMGR_HOST_LEN];
    amgr_origin_claims_t claims = {"https", host, NULL, NULL, NULL};
    const char *name;
    char *origin;
    size_t i;

    memset(buf, 0x5a, sizeof(buf));
    name = amgr_host_name(host, buf);
    if (name == NULL) {
        return;
    }
    check(name == buf && name[0] != '\0' && strlen(name) < sizeof(buf));
    for (i = 0; name[i] != '\0'; i++) {
        check(name[i] < 'A' || name[i] > 'Z');
    }
    check(strcasestr(host, name) != NULL);
    (void)amgr_host_is_address(name); /* memory alone */
    origin = malloc(strlen(host) + sizeof("https://"));
    check(origin != NULL);
    strcpy(stpcpy(origin, "https://"), host);
    claims.origin = origin;
    check(amgr_origin_judge(&claims) == AMGR_ORIGIN_SAME);
    claims.scheme = "http";
    check(amgr_origin_judge(&claims) == AMGR_ORIGIN_OTHER);
    free(origin);
}

static void check_judgement(const amgr_origin_claims_t *claims)
{
    int origin = amgr_origin_judge(claims);
    char ours[AMGR_HOST_LEN];
    char theirs[AMGR_HOST_LEN];

    check(origin >= 0 && origin < AMGR_ORIGIN_COUNT);
    check(origin != AMGR_ORIGIN_SILENT ||
          (claims->origin == NULL && claims->fetch_site == NULL &&
           claims->referer == NULL));
    if (origin != AMGR_ORIGIN_SAME) {
        return;
    }
    check(claims->fetch_site == NULL ||
          strcmp(claims->fetch_site, "same-origin") == 0 ||
          (strcmp(claims->fetch_site, "none") == 0 && claims->origin != NULL));
    if (claims->origin != NULL) {
        const char *host = strstr(claims->origin, "://");

        check(host != NULL &&
              strncasecmp(claims->origin, claims->scheme,
                          (size_t)(host - claims->origin)) == 0);
        if (amgr_host_name(claims->host, ours) != NULL) {
            check(amgr_host_name(host + 3, theirs) != NULL &&
                  strcmp(ours, theirs) == 0);
        }
    }
}

/* By strtok, which knows no empty field; none is looked for. */
static void check_fields(const char *fields)
{
    char *copy = fuzz_text(fields, strlen(fields));
    const char *value = NULL;
    apr_size_t len = 12345;
    int found = amgr_fields_find(fields, "token", &value, &len);
    int count = 0;
    char *rest;
    char *field;

    for (field = strtok_r(copy, "&", &rest); field != NULL;
         field = strtok_r(NULL, "&", &rest)) {
        if (strcmp(field, "token") == 0 || strncmp(field, "token=", 6) == 0) {
            const char *own = field[5] == '=' ? field + 6 : field + 5;

            check(count > 0 ||
                  (len == strlen(own) && memcmp(value, own, len) == 0));
            count++;
        }
    }
    check(found == count);
    check(found > 0 || (value == NULL && len == 12345));
    check(found == 0 ||
          amgr_secret_equal(value, len, SECRET) ==
              (len == strlen(SECRET) && memcmp(value, SECRET, len) == 0));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    char *lines[5];
    amgr_origin_claims_t claims;
    int i;

    for (i = 0; i < 5; i++) {
        lines[i] = next_line(&in);
    }
    claims.scheme = fuzz_left(&in) > 0 ? "http" : "https";
    claims.host = lines[0];
    claims.origin = lines[1];
    claims.fetch_site = lines[2];
    claims.referer = lines[3];
    check_judgement(&claims);
    if (lines[0] != NULL) {
        check_name(lines[0]);
    }
    if (lines[4] != NULL) {
        check_fields(lines[4]);
        check(amgr_secret_equal(lines[4], strlen(lines[4]), SECRET) ==
              (strcmp(lines[4], SECRET) == 0));
        check(!amgr_secret_equal(lines[4], strlen(lines[4]), ""));
    }
    for (i = 0; i < 5; i++) {
        free(lines[i]);
    }
    return 0;
}
