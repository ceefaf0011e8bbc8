/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a configuration split as httpd does it.
 */
#ifndef AMGR_CONF_WORDS_H
#define AMGR_CONF_WORDS_H

#include <string.h>

/* Like ap_getword_conf(): quotes around a word, in which they and backslashes
 * are escaped.  The line is changed. */
static inline char *conf_word(char **line)
{
    char *at = *line + strspn(*line, " ");
    char quote = *at == '"' || *at == '\'' ? *at++ : '\0';
    char *word = at;
    char *out = at;

    while (*at != '\0' && (quote != '\0' ? *at != quote : *at != ' ')) {
        if (*at == '\\' && (at[1] == '\\' || (quote && at[1] == quote))) {
            at++;
        }
        *out++ = *at++;
    }
    at += *at != '\0';
    *line = at + strspn(at, " ");
    *out = '\0';
    return word;
}

/* How many words there are, at most @a most of them taken. */
static inline int conf_split(char *line, const char **argv, int most)
{
    int argc = 0;

    line += strspn(line, " ");
    while (*line != '\0' && argc < most) {
        argv[argc++] = conf_word(&line);
    }
    return argc;
}

#endif
