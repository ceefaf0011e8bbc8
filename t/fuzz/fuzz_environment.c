/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a file of environment.  Checked besides memory: every variable
 * has a name and an end, none stands twice, and what is wrong is in a line that
 * there is.
 */
#include "fuzz.h"

#include "supervise/environment.h"

static void check_variable(const amgr_environment_t *environment, int index)
{
    const char *var = environment->vars[index];
    size_t name_len;
    char *name;

    check(var >= environment->bytes);
    check(var < environment->bytes + environment->used);
    check(memchr(var, '\0',
                 environment->used - (size_t)(var - environment->bytes)) !=
          NULL);
    name_len = strspn(var, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                           "abcdefghijklmnopqrstuvwxyz0123456789");
    check(name_len > 0 && var[name_len] == '=');
    check(var[0] < '0' || var[0] > '9');
    name = strndup(var, name_len);
    check(name != NULL);
    /* The first of its name is the only one. */
    check(amgr_environment_get(environment, name) == var + name_len + 1);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_environment_t *environment = malloc(sizeof(*environment));
    const char *fault;
    int lines = 1;
    int line = 0;
    size_t i;
    int k;

    check(environment != NULL);
    amgr_environment_init(environment);
    fault =
        amgr_environment_parse(environment, (const char *)data, size, &line);
    for (i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    check(fault == NULL ? line == 0 : line >= 1 && line <= lines);
    check(environment->count <= AMGR_ENVIRONMENT_VARS_MAX);
    check(environment->vars[environment->count] == NULL);
    for (k = 0; k < environment->count; k++) {
        check_variable(environment, k);
    }
    free(environment);
    return 0;
}
