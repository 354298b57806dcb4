#include "core/setup.h"

#include "capture/capture_file.h"
#include "capture/decode.h"

#include <errno.h>

int setup_init(struct setup *s, const struct config *c, struct fault *fault)
{
    *s = (struct setup){0};
    if (c->path_count == 0)
        return fault_set(fault, EINVAL, "no input: name capture files, folders, or - for stdin");
    int err = decode_decap_parse(c->decap, &s->decap, fault);
    if (err == 0)
        err = ruleset_create(&s->rules, c->rules, fault);
    if (err == 0 && c->telescope)
        err = prefix_set_create(&s->telescope, c->telescope, fault);
    if (err == 0 && c->filter)
        err = filter_create(&s->filter, c->filter, fault);
    if (err == 0) {
        struct capture_file_settings inputs = {
            .paths = (const char *const *)c->paths,
            .path_count = c->path_count,
        };
        err = capture_file_open(&s->capture, &inputs, fault);
    }
    return err;
}

void setup_fini(struct setup *s)
{
    if (s->capture)
        s->capture->ops->close(s->capture);
    filter_destroy(s->filter);
    prefix_set_destroy(s->telescope);
    ruleset_destroy(s->rules);
    *s = (struct setup){0};
}
