// A tool in C. `wit/world.wit` says what it exports, `tool.toml` what it may use. The build makes `tool.h` of the former.

#include "tool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000 // repetitions

// Returns true and fills `ret`, or returns false and fills `err`. What it is given is its to free.
bool exports_tool_repeat_text(tool_string_t *text, uint32_t times, tool_string_t *ret, tool_string_t *err) {
    if (times > MOST) {
        char message[80];
        snprintf(message, sizeof message, "`times` is %u; at most %d are allowed", times, MOST);
        tool_string_dup(err, message);
        tool_string_free(text);
        return false;
    }
    if (text->len >= SIZE_MAX / MOST) abort();
    size_t length = times == 0 ? 0 : (text->len + 1) * times - 1;
    uint8_t *joined = malloc(length + 1);
    if (joined == NULL) abort();
    uint8_t *to = joined;
    for (uint32_t n = 0; n < times; n++) {
        if (n > 0) *to++ = ' ';
        memcpy(to, text->ptr, text->len);
        to += text->len;
    }
    ret->ptr = joined;
    ret->len = length;
    tool_string_free(text);
    return true;
}
