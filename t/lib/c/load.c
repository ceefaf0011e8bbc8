/* SPDX-License-Identifier: Apache-2.0
 *
 * A load for one server of 127.0.0.1, and the judge of its answers: whether a
 * request was lost, and how.
 *
 *   load --port 8080 --mix '90:/small.txt#5:3610a686 10:/app/sleep?s=0.8'
 *        --keep 20 --think 8 --think-ms 300 --fresh 8 --requests 70000
 *
 * Three kinds of connection: --keep of them ask again as soon as they are
 * answered, --think of them after a pause, --fresh of them open a connection
 * for each request.  An answer must be a 200 whose body has the length and
 * CRC-32 named after '#', or those of its own header "X-Check: SERIAL BYTES
 * CRC", the serial being that of the request's "X-Serial".
 *
 * A kept connection that ends before a byte of the answer came is stale: the
 * request is asked again, once, over a fresh connection, as browsers do.
 * Everything else that goes wrong is a hard failure.
 *
 * SIGUSR1 prints a report so far.  After --requests, --seconds or SIGTERM no
 * request begins; those that run end, and the last report is printed.
 */
#include "load_run.h"
#include "load_wire.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static load_plan_t plan;

void load_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static uint64_t number(const char *option, const char *text, uint64_t most)
{
    uint64_t value;
    char *end;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value > most)
        load_die("--%s: '%s' is not a number from 0 to %" PRIu64, option, text,
                 most);
    return value;
}

/* WEIGHT:PATH or WEIGHT:PATH#BYTES:CRC; the text stays where it is. */
static void add_path(char *word)
{
    load_path_t *path = &plan.stats.path[plan.stats.paths];
    char *known = strchr(word, '#');
    int used = 0;

    if (plan.stats.paths == LOAD_PATHS)
        load_die("--mix: more than %d paths", LOAD_PATHS);
    if (known) {
        *known++ = '\0';
        path->is_known = 1;
        if (sscanf(known, "%" SCNu64 ":%8" SCNx32 "%n", &path->body_bytes,
                   &path->crc, &used) != 2 ||
            known[used] != '\0')
            load_die("--mix: '#%s' is not #BYTES:CRC", known);
    }
    if (sscanf(word, "%8" SCNu64 ":%n", &path->weight, &used) != 1 ||
        path->weight == 0 || word[used] != '/')
        load_die("--mix: '%s' is not WEIGHT:/PATH", word);
    path->path = word + used;
    plan.weights += path->weight;
    plan.stats.paths++;
}

static void set_mix(char *text)
{
    char *left = NULL;
    char *word = strtok_r(text, " ", &left);

    for (; word; word = strtok_r(NULL, " ", &left))
        add_path(word);
}

static void set_option(const char *name, char *value)
{
    const uint64_t many = 1000000000;

    if (strcmp(name, "mix") == 0)
        set_mix(value);
    else if (strcmp(name, "port") == 0)
        plan.port = (uint16_t)number(name, value, 65535);
    else if (strcmp(name, "keep") == 0)
        plan.conns[LOAD_MODE_KEEP] = number(name, value, LOAD_CONNECTIONS);
    else if (strcmp(name, "think") == 0)
        plan.conns[LOAD_MODE_THINK] = number(name, value, LOAD_CONNECTIONS);
    else if (strcmp(name, "fresh") == 0)
        plan.conns[LOAD_MODE_FRESH] = number(name, value, LOAD_CONNECTIONS);
    else if (strcmp(name, "think-ms") == 0)
        plan.think_us = number(name, value, many) * 1000;
    else if (strcmp(name, "timeout-ms") == 0)
        plan.timeout_us = number(name, value, many) * 1000;
    else if (strcmp(name, "requests") == 0)
        plan.most_requests = number(name, value, many);
    else if (strcmp(name, "seconds") == 0)
        plan.most_us = number(name, value, many) * 1000000;
    else if (strcmp(name, "seed") == 0)
        plan.random += number(name, value, many);
    else if (!(plan.tls = load_wire_tls()))
        load_die("no TLS");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"mix", 1, NULL, 'o'},        {"port", 1, NULL, 'o'},
        {"keep", 1, NULL, 'o'},       {"think", 1, NULL, 'o'},
        {"fresh", 1, NULL, 'o'},      {"think-ms", 1, NULL, 'o'},
        {"timeout-ms", 1, NULL, 'o'}, {"requests", 1, NULL, 'o'},
        {"seconds", 1, NULL, 'o'},    {"seed", 1, NULL, 'o'},
        {"tls", 0, NULL, 'o'},        {NULL, 0, NULL, 0},
    };
    int index = 0;

    plan.random = 88172645463325252u;
    plan.timeout_us = 30000000;
    plan.think_us = 500000;
    while (1) {
        int found = getopt_long(argc, argv, "", options, &index);

        if (found == -1)
            break;
        if (found != 'o')
            load_die("see the head of load.c for its options");
        set_option(options[index].name, optarg);
    }
    if (optind < argc || !plan.port || !plan.weights)
        load_die("--port and --mix are needed");
    load_run(&plan);
    SSL_CTX_free(plan.tls);
    return 0;
}
