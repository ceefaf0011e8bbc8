/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handler calls of httpd, in the place of httpd: a request with its
 * headers, its body in pieces, the answer as it was written, and a
 * configuration with some places of the handler.
 */
#ifndef AMGR_REQUEST_HTTPD_H
#define AMGR_REQUEST_HTTPD_H

#include "fuzz.h"

#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "httpd/handler_place.h"

/** What the request at hand brings and has got. */
typedef struct world_t {
    fuzz_t body;
    size_t piece;       /**< of the body, at most; 0: as much as is wanted */
    int body_status;    /**< OK, or what httpd refuses it with */
    int is_cut;         /**< the body ends before its end */
    int is_https;       /**< how the client has connected */
    fuzz_output_t sent; /**< of the answer */
} world_t;

static world_t world;

/** The text of SetHandler's expression is what it comes to. */
typedef struct fuzz_expr_t {
    const char *handler;
    const char *error;
} fuzz_expr_t;

const char *ap_expr_str_exec(request_rec *r, const ap_expr_info_t *expr,
                             const char **err)
{
    const fuzz_expr_t *is = (const fuzz_expr_t *)(const void *)expr;

    (void)r; /* of all requests */
    *err = is->error;
    return is->handler;
}

const char *ap_run_http_scheme(const request_rec *r)
{
    (void)r; /* the only one */
    return world.is_https ? "https" : "http";
}

int ap_cstr_casecmpn(const char *s1, const char *s2, apr_size_t n)
{
    return strncasecmp(s1, s2, n);
}

/** With one star, at its beginning. */
int ap_strcasecmp_match(const char *str, const char *expected)
{
    size_t tail = strlen(expected) - 1;

    check(expected[0] == '*');
    return strlen(str) < tail ||
           strcasecmp(str + strlen(str) - tail, expected + 1) != 0;
}

int ap_setup_client_block(request_rec *r, int read_policy)
{
    (void)r;
    check(read_policy == REQUEST_CHUNKED_DECHUNK);
    return world.body_status;
}

int ap_should_client_block(request_rec *r)
{
    (void)r;
    return fuzz_left(&world.body) > 0;
}

long ap_get_client_block(request_rec *r, char *buffer, apr_size_t bufsiz)
{
    size_t len = fuzz_left(&world.body);

    (void)r;
    check(bufsiz > 0);
    if (len == 0) {
        return world.is_cut ? -1 : 0;
    }
    len = world.piece > 0 && len > world.piece ? world.piece : len;
    len = len > bufsiz ? bufsiz : len;
    memcpy(buffer, world.body.at, len);
    world.body.at += len;
    return (long)len;
}

int ap_rwrite(const void *buf, int nbyte, request_rec *r)
{
    (void)r;
    check(nbyte >= 0);
    fuzz_append(&world.sent, buf, (apr_size_t)nbyte);
    return nbyte;
}

int ap_rflush(request_rec *r)
{
    (void)r;
    return 0;
}

void ap_set_content_type(request_rec *r, const char *ct)
{
    r->content_type = ct;
}

void ap_set_content_length(request_rec *r, apr_off_t length)
{
    check(length >= 0);
    r->clength = length;
}

void ap_allow_standard_methods(request_rec *r, int reset, ...)
{
    (void)r; /* nobody reads what is allowed */
    (void)reset;
}

/** As far as it is a question of what is found in the list. */
int ap_find_etag_strong(apr_pool_t *p, const char *line, const char *tok)
{
    (void)p;
    return strstr(line, tok) != NULL;
}

int ap_find_etag_weak(apr_pool_t *p, const char *line, const char *tok)
{
    return ap_find_etag_strong(p, line, tok);
}

int ap_index_of_response(int status)
{
    return status;
}

const char *ap_get_server_name(request_rec *r)
{
    const char *host = apr_table_get(r->headers_in, "Host");

    return host == NULL ? r->server->server_hostname : host;
}

char *ap_os_escape_path(apr_pool_t *p, const char *path, int partial)
{
    char *out = apr_palloc(p, 3 * strlen(path) + 1);
    char *end = out;

    check(partial);
    for (; *path != '\0'; path++) {
        if (apr_isalnum(*path) || strchr("$-_.+!*'(),:;@&=/~", *path)) {
            *end++ = *path;
        }
        else {
            end += sprintf(end, "%%%02x", (unsigned char)*path);
        }
    }
    *end = '\0';
    return out;
}

/* The configuration: the handler is set for /manager, /m/ and /manager/deep,
 * by a name or an expression; other sections set none, or are no place. */

static core_dir_config sections[6];
static void *vectors[7]; /**< of a module each: the core, which is the first */
static ap_conf_vector_t *section_list[6];
static apr_array_header_t section_array;
static core_server_config core_server;
static fuzz_expr_t exprs[2];
static const char *alias_list[1];
static const char *wild_list[1];
static apr_array_header_t aliases;
static apr_array_header_t wilds;
static char own_name[] = "www.example.org";
static server_rec server;

static void fill_array(apr_array_header_t *array, void *elements, int count)
{
    array->elts = elements;
    array->elt_size = sizeof(char *);
    array->nelts = array->nalloc = count;
}

static void configure(void)
{
    static char paths[6][16] = {"/manager", "/m/",   "/manager/deep",
                                "/other",   "/m[a]", "/broken"};
    int i;

    exprs[0] = (fuzz_expr_t){AMGR_HANDLER_NAME, NULL};
    exprs[1] = (fuzz_expr_t){AMGR_HANDLER_NAME, "it cannot be evaluated"};
    for (i = 0; i < 6; i++) {
        sections[i].d = paths[i];
        sections[i].handler = AMGR_HANDLER_NAME;
        vectors[i] = &sections[i];
        section_list[i] = (ap_conf_vector_t *)(void *)&vectors[i];
    }
    sections[1].handler = NULL;
    sections[1].expr_handler = (ap_expr_info_t *)(void *)&exprs[0];
    sections[3].handler = "server-status";
    sections[4].d_is_fnmatch = 1;
    sections[5].expr_handler = (ap_expr_info_t *)(void *)&exprs[1];
    fill_array(&section_array, section_list, 6);
    core_server.sec_url = &section_array;
    alias_list[0] = "alias.example.org";
    wild_list[0] = "*.example.net";
    fill_array(&aliases, alias_list, 1);
    fill_array(&wilds, wild_list, 1);
    server.server_hostname = own_name;
    server.names = &aliases;
    server.wild_names = &wilds;
    vectors[6] = &core_server;
    server.module_config = (ap_conf_vector_t *)(void *)&vectors[6];
}

/** Whether @a uri is in a place of the handler. */
static int has_place(const char *uri)
{
    return strcmp(uri, "/manager") == 0 || strncmp(uri, "/manager/", 9) == 0 ||
           strcmp(uri, "/m") == 0 || strncmp(uri, "/m/", 3) == 0;
}

#endif
