/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the address that --url gives, as one behind a password, and as a
 * socket that must be free.  Checked besides memory: what is taken has a host
 * and a port, a fault is one line, and the password is in nothing that is
 * shown.
 */
#include "fuzz.h"

#include <strings.h>

#include <apr_strings.h>

#include "cli/source/fetch.h"
#include "cli/source/source_url.h"
#include "supervise/check/check.h"

#define PASSWORD "Pa55-w0rd"

static void check_url(const char *text, apr_pool_t *pool)
{
    amgr_source_url_t url;
    const amgr_fault_t *fault;
    const char *shown = amgr_fetch_shown(text, pool);

    check_line_text(shown);
    check_utf8(shown);
    memset(&url, 0, sizeof(url));
    fault = amgr_source_url_parse(text, &url, pool);
    if (fault != NULL) {
        check(fault->exit_code == AMGR_EXIT_USAGE);
        check_line_text(fault->text);
        return;
    }
    check(url.host[0] != '\0' && url.port != 0);
    check(strncasecmp(url.origin, "http", 4) == 0);
    check(url.path[0] == '\0' || url.path[0] == '/');
    check(strpbrk(url.path, "?#") == NULL);
    check(strchr(amgr_source_url_origin(url.host, url.port, 1, pool), '/') !=
          NULL);
}

/* Nothing that stands behind it makes it seen. */
static void check_secret(const char *text, apr_pool_t *pool)
{
    const char *whole =
        apr_pstrcat(pool, "https://me:" PASSWORD "@", text, NULL);
    amgr_source_url_t url;
    const amgr_fault_t *fault;

    if (strstr(text, PASSWORD) != NULL) {
        return;
    }
    check(strstr(amgr_fetch_shown(whole, pool), PASSWORD) == NULL);
    fault = amgr_source_url_parse(whole, &url, pool);
    check(fault == NULL || strstr(fault->text, PASSWORD) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);
    const char *wrong = amgr_address_parse(text);

    check(wrong == NULL ||
          strcmp(wrong, "tcp://ADDRESS:PORT with a numeric address, or "
                        "unix:/PATH") == 0);
    check(wrong != NULL || strncmp(text, "tcp://", 6) == 0 ||
          strncmp(text, "unix:/", 6) == 0);
    check_url(text, pool);
    check_secret(text, pool);
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
