/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a request line, a client and what a thread waits for, as far as
 * they may be shown.  Checked besides memory: nothing of a query string, of a
 * client's last part, or of what may not be seen at all is there, whatever room
 * there is.
 */
#include "fuzz.h"

#include <arpa/inet.h>

#include "model/client.h"
#include "model/request.h"

static void check_request(const char *text, size_t room)
{
    char *buf = malloc(room);
    int show;

    check(buf != NULL);
    for (show = 0; show < AMGR_SHOW_COUNT; show++) {
        const char *shown = amgr_request_shown(show, text, buf, room);

        check(strlen(shown) < room);
        check(show != AMGR_SHOW_OFF || shown[0] == '\0');
        check(show != AMGR_SHOW_PATH || strchr(shown, '?') == NULL);
        check(show != AMGR_SHOW_FULL ||
              strncmp(shown, text, strlen(shown)) == 0);
    }
    free(buf);
}

static void check_client(const char *text, size_t room)
{
    char *buf = malloc(room);
    unsigned char address[sizeof(struct in6_addr)];
    int show;

    check(buf != NULL);
    for (show = 0; show < AMGR_CLIENTS_COUNT; show++) {
        const char *shown = amgr_client_shown(show, text, buf, room);

        check(strlen(shown) < room);
        check(show != AMGR_CLIENTS_OFF || shown[0] == '\0');
        /* Where there is room for all of it. */
        if (show == AMGR_CLIENTS_NETWORK && shown[0] != '\0' &&
            room >= AMGR_CLIENT_SHOWN_LEN) {
            check(strcmp(shown, text) != 0);
            check(inet_pton(AF_INET, shown, address) != 1 &&
                  inet_pton(AF_INET6, shown, address) != 1);
            check(strncmp(shown, "*.", 2) == 0 || strchr(shown, '/') != NULL);
        }
    }
    free(buf);
}

static void check_target(const char *text, size_t room)
{
    static const apr_uint16_t ports[] = {80, 443};
    char *buf = malloc(room);
    int show;

    check(buf != NULL);
    for (show = 0; show < AMGR_CLIENTS_COUNT; show++) {
        const char *shown = amgr_client_target_shown(
            show, text, ports, AMGR_COUNT(ports), buf, room);

        check(strlen(shown) < room);
        check(show != AMGR_CLIENTS_FULL ||
              strncmp(shown, text, strlen(shown)) == 0);
    }
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_t in = {data, data + size};
    size_t room = 1 + (size_t)fuzz_below(&in, 256);
    char *text = fuzz_text(in.at, fuzz_left(&in));

    check_request(text, room);
    check_client(text, room);
    check_target(text, room);
    free(text);
    return 0;
}
