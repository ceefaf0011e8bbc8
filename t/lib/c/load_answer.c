/* SPDX-License-Identifier: Apache-2.0 */
#include "load_answer.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHUNK_LINE_BYTES = 64 };

void load_answer_init(load_answer_t *answer)
{
    memset(answer, 0, offsetof(load_answer_t, line));
}

uint32_t load_crc(uint32_t crc, const char *data, size_t size)
{
    static uint32_t table[256];
    size_t i;

    if (table[1] == 0) {
        for (i = 0; i < 256; i++) {
            uint32_t value = (uint32_t)i;
            int bit;

            for (bit = 0; bit < 8; bit++)
                value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
            table[i] = value;
        }
    }
    crc = ~crc;
    for (i = 0; i < size; i++)
        crc = table[(crc ^ (unsigned char)data[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

/* A whole unsigned number, nothing before and nothing after it. */
static int parse_number(const char *text, int base, uint64_t *value)
{
    char *end;

    if (!isxdigit((unsigned char)text[0]))
        return 0;
    errno = 0;
    *value = strtoull(text, &end, base);
    return errno == 0 && end != text && *end == '\0';
}

static int parse_check(const char *text, load_check_t *check)
{
    int used = 0;

    if (sscanf(text, "%20" SCNu64 " %20" SCNu64 " %8" SCNx32 "%n",
               &check->serial, &check->body_bytes, &check->crc, &used) != 3)
        return 0;
    check->is_given = 1;
    return text[used] == '\0';
}

static const char *take_header(load_answer_t *answer, char *line)
{
    char *value = strchr(line, ':');

    if (!value || value == line)
        return "a header without a name";
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0) {
        if (answer->has_length)
            return "two lengths";
        if (!parse_number(value, 10, &answer->left_bytes))
            return "a length that is none";
        answer->has_length = 1;
    }
    else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        if (strcasecmp(value, "chunked") != 0)
            return "an unknown transfer encoding";
        answer->is_chunked = 1;
    }
    else if (strcasecmp(line, "Connection") == 0) {
        if (strcasecmp(value, "close") == 0)
            answer->says_close = 1;
    }
    else if (strcasecmp(line, "X-Check") == 0) {
        if (!parse_check(value, &answer->check))
            return "a check that is none";
    }
    return NULL;
}

static const char *take_status(load_answer_t *answer, const char *line)
{
    if (strncmp(line, "HTTP/1.1 ", 9) != 0 || strlen(line) < 12 ||
        strspn(line + 9, "0123456789") != 3)
        return "no status line of HTTP/1.1";
    answer->status =
        (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    return NULL;
}

/* The head is there, up to and with its empty line. */
static const char *end_head(load_answer_t *answer)
{
    const char *wrong = NULL;
    char *line = answer->line;
    int is_first = 1;

    answer->line[answer->line_bytes - 2] = '\0';
    while (!wrong && *line) {
        char *end = strstr(line, "\r\n");
        char *next = end ? end + 2 : line + strlen(line);

        if (end)
            *end = '\0';
        wrong =
            is_first ? take_status(answer, line) : take_header(answer, line);
        is_first = 0;
        line = next;
    }
    if (wrong)
        return wrong;
    if (answer->has_length == answer->is_chunked)
        return answer->is_chunked ? "a length and chunks"
                                  : "neither a length nor chunks";
    answer->line_bytes = 0;
    answer->part = answer->is_chunked       ? LOAD_PART_CHUNK_SIZE
                   : answer->left_bytes > 0 ? LOAD_PART_BODY
                                            : LOAD_PART_DONE;
    return NULL;
}

static const char *end_chunk_line(load_answer_t *answer)
{
    char *line = answer->line;
    size_t size = answer->line_bytes;

    line[size - 2] = '\0';
    answer->line_bytes = 0;
    switch (answer->part) {
    case LOAD_PART_CHUNK_SIZE:
        line[strcspn(line, "; ")] = '\0';
        if (!parse_number(line, 16, &answer->left_bytes))
            return "a chunk without a size";
        answer->part =
            answer->left_bytes > 0 ? LOAD_PART_CHUNK : LOAD_PART_TRAILER;
        return NULL;
    case LOAD_PART_CHUNK_END:
        if (size != 2)
            return "a chunk longer than its size";
        answer->part = LOAD_PART_CHUNK_SIZE;
        return NULL;
    default:
        if (size == 2)
            answer->part = LOAD_PART_DONE;
        return NULL;
    }
}

/* One byte of the head or of a line between chunks. */
static const char *take_line_byte(load_answer_t *answer, char byte)
{
    int is_head = answer->part == LOAD_PART_HEAD;
    size_t most = is_head ? LOAD_HEAD_BYTES : CHUNK_LINE_BYTES;
    size_t size = answer->line_bytes;
    const char *line = answer->line;

    if (size == most)
        return is_head ? "a head without an end" : "a chunk line too long";
    if (byte == '\0')
        return "a zero byte in a line";
    answer->line[size++] = byte;
    answer->line_bytes = size;
    if (byte != '\n')
        return NULL;
    if (size < 2 || line[size - 2] != '\r')
        return "a line that ends without CR";
    if (!is_head)
        return end_chunk_line(answer);
    return size >= 4 && memcmp(line + size - 4, "\r\n\r\n", 4) == 0
               ? end_head(answer)
               : NULL;
}

const char *load_answer_feed(load_answer_t *answer, const char *data,
                             size_t size)
{
    answer->received_bytes += size;
    while (size > 0) {
        int is_body = answer->part == LOAD_PART_BODY;
        size_t step = 1;

        if (answer->part == LOAD_PART_DONE)
            return "bytes after the end";
        if (is_body || answer->part == LOAD_PART_CHUNK) {
            step =
                size < answer->left_bytes ? size : (size_t)answer->left_bytes;
            answer->crc = load_crc(answer->crc, data, step);
            answer->body_bytes += step;
            answer->left_bytes -= step;
            if (answer->left_bytes == 0)
                answer->part = is_body ? LOAD_PART_DONE : LOAD_PART_CHUNK_END;
        }
        else {
            const char *wrong = take_line_byte(answer, *data);

            if (wrong)
                return wrong;
        }
        data += step;
        size -= step;
    }
    return NULL;
}
