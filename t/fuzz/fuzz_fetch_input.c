/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what is asked of the program that does HTTP: a URL and header
 * lines.  Checked besides memory: every line is one, every header has a name
 * and a value and nothing that ends it, and nothing is taken of what is
 * refused.
 */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fetch/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    amgr_input_t *input = calloc(1, sizeof(*input));
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    const char *wrong;
    size_t total;
    int i;

    check(input != NULL && fd >= 0);
    check(pwrite(fd, data, size, 0) == (ssize_t)size);
    wrong = amgr_input_read(fd, input);
    close(fd);
    check(wrong == NULL || wrong[0] != '\0');
    if (wrong == NULL) {
        check(input->url == input->text && input->url[0] != '\0');
        check(strlen(input->url) < AMGR_INPUT_URL_MAX);
        check(strchr(input->url, '\n') == NULL);
        check(input->header_count >= 0 &&
              input->header_count <= AMGR_INPUT_HEADERS_MAX);
        total = strlen(input->url) + 1;
        for (i = 0; i < input->header_count; i++) {
            const char *value = strchr(input->headers[i], ':');

            check(value != NULL && value > input->headers[i]);
            check(value[1 + strspn(value + 1, " ")] != '\0');
            check_line_text(input->headers[i]);
            total += strlen(input->headers[i]) + 1;
        }
        check(total == size);
    }
    free(input);
    return 0;
}
