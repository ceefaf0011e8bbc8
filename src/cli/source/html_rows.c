/* SPDX-License-Identifier: Apache-2.0
 *
 * See html_rows.h.
 */
#include "cli/source/html_rows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** Names of tags that are told apart; longer ones are none of them. */
#define TAG_LEN 8

typedef enum tag_e {
    TAG_OTHER = 0,
    TAG_TABLE,
    TAG_TABLE_END,
    TAG_ROW,
    TAG_ROW_END,
    TAG_CELL,
    TAG_TITLE,
    TAG_CELL_END
} tag_e;

static const struct {
    const char *name;
    tag_e tag;
} tags[] = {
    {"table", TAG_TABLE},  {"/table", TAG_TABLE_END}, {"tr", TAG_ROW},
    {"/tr", TAG_ROW_END},  {"td", TAG_CELL},          {"th", TAG_TITLE},
    {"/td", TAG_CELL_END}, {"/th", TAG_CELL_END},
};

static const struct {
    const char *name;
    char character;
} references[] = {
    {"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''},
};

/** The cell that text goes to. */
typedef struct cell_t {
    char *text; /**< NULL: none is open */
    apr_size_t used;
} cell_t;

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The end of a tag, past quoted attributes, or of the text. */
static const char *skip_tag(const char *at)
{
    char quote = '\0';

    for (; *at != '\0'; at++) {
        if (quote != '\0') {
            quote = *at == quote ? '\0' : quote;
        }
        else if (*at == '"' || *at == '\'') {
            quote = *at;
        }
        else if (*at == '>') {
            return at + 1;
        }
    }
    return at;
}

/* A tag that begins after "<": which it is, and what follows it. */
static tag_e read_tag(const char **at)
{
    const char *name = *at;
    char word[TAG_LEN];
    apr_size_t len = 0;
    apr_size_t i;

    while ((is_letter(name[len]) || (len == 0 && name[0] == '/')) &&
           len < sizeof(word) - 1) {
        word[len] = name[len];
        len++;
    }
    word[len] = '\0';
    *at = skip_tag(name);
    for (i = 0; i < AMGR_COUNT(tags); i++) {
        if (strcasecmp(tags[i].name, word) == 0 &&
            (is_blank(name[len]) || name[len] == '>' || name[len] == '/')) {
            return tags[i].tag;
        }
    }
    return TAG_OTHER;
}

static void put(cell_t *cell, char c)
{
    if (cell->text == NULL || cell->used >= AMGR_HTML_CELL_LEN - 1) {
        return;
    }
    if (is_blank(c)) {
        if (cell->used == 0) {
            return;
        }
        c = ' ';
    }
    cell->text[cell->used++] = c;
    cell->text[cell->used] = '\0';
}

/* "#39;" or "#x27;": a character of ASCII, or what cannot be told. */
static const char *put_number(cell_t *cell, const char *at)
{
    int base = at[1] == 'x' || at[1] == 'X' ? 16 : 10;
    const char *digits = at + (base == 16 ? 2 : 1);
    unsigned long code;
    char *end;

    if ((*digits < '0' || *digits > '9') &&
        (base == 10 || !is_letter(*digits))) {
        return NULL;
    }
    code = strtoul(digits, &end, base);
    if (end == digits || *end != ';') {
        return NULL;
    }
    put(cell, code > 0 && code < 0x80 ? (char)code : '?');
    return end + 1;
}

/* What follows "&"; what is no reference stands as it is. */
static const char *put_reference(cell_t *cell, const char *at)
{
    const char *end;
    apr_size_t i;

    if (at[0] == '#') {
        end = put_number(cell, at);
        if (end != NULL) {
            return end;
        }
    }
    for (i = 0; i < AMGR_COUNT(references); i++) {
        apr_size_t len = strlen(references[i].name);

        if (strncmp(at, references[i].name, len) == 0) {
            put(cell, references[i].character);
            return at + len;
        }
    }
    put(cell, '&');
    return at;
}

static void close_cell(cell_t *cell)
{
    if (cell->text != NULL) {
        while (cell->used > 0 && cell->text[cell->used - 1] == ' ') {
            cell->text[--cell->used] = '\0';
        }
    }
    cell->text = NULL;
}

static void open_cell(cell_t *cell, amgr_html_row_t *row, int is_title)
{
    close_cell(cell);
    if (row->count < AMGR_HTML_CELLS_MAX) {
        cell->text = row->cells[row->count++];
        cell->text[0] = '\0';
        cell->used = 0;
        row->titles += is_title;
    }
}

/* 0 when the row has ended, and this tag is not of it any more. */
static int take_tag(amgr_html_rows_t *rows, cell_t *cell, amgr_html_row_t *row,
                    tag_e tag)
{
    switch (tag) {
    case TAG_TABLE:
        close_cell(cell);
        rows->table++;
        return row->count == 0;
    case TAG_TABLE_END:
    case TAG_ROW:
    case TAG_ROW_END:
        close_cell(cell);
        return row->count == 0;
    case TAG_CELL:
    case TAG_TITLE:
        if (row->count == 0) {
            row->table = rows->table;
        }
        open_cell(cell, row, tag == TAG_TITLE);
        return 1;
    case TAG_CELL_END:
        close_cell(cell);
        return 1;
    default:
        return 1;
    }
}

/* Past "<!...>" and "<?...>"; a comment ends with its own mark. */
static const char *skip_declaration(const char *at)
{
    const char *end;

    if (strncmp(at, "!--", 3) == 0) {
        end = strstr(at + 3, "-->");
        return end == NULL ? at + strlen(at) : end + 3;
    }
    return skip_tag(at);
}

int amgr_html_rows_next(amgr_html_rows_t *rows, amgr_html_row_t *out)
{
    cell_t cell = {NULL, 0};
    const char *at = rows->at;
    int is_open = 1;

    out->count = 0;
    out->titles = 0;
    while (is_open && *at != '\0') {
        if (at[0] == '<' && (at[1] == '!' || at[1] == '?')) {
            at = skip_declaration(at + 1);
        }
        else if (at[0] == '<' && (is_letter(at[1]) || at[1] == '/')) {
            at++;
            is_open = take_tag(rows, &cell, out, read_tag(&at));
        }
        else if (at[0] == '&') {
            at = put_reference(&cell, at + 1);
        }
        else {
            put(&cell, *at++);
        }
    }
    close_cell(&cell);
    rows->at = at;
    return out->count > 0;
}
