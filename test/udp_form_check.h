/* udp_form_check: what holds for every UDP payload, whatever its bytes. For the test and the fuzz target. */
#ifndef TEST_UDP_FORM_CHECK_H
#define TEST_UDP_FORM_CHECK_H

#include "classify/payload_tool.h"
#include "classify/udp_form.h"

#include <stddef.h>

/* NULL, or what does not hold. */
static inline const char *udp_form_check(uint16_t src_port, uint16_t dst_port,
                                         const struct udp_payload *p)
{
    enum udp_form_id id = udp_form_of(src_port, dst_port, p);
    uint32_t first4 = udp_first4(p->at, p->caught < p->len ? p->caught : p->len);
    if (id >= UDP_FORM_COUNT)
        return "a form is one of the table";
    if (id != UDP_FORM_NONE && !udp_form_wants(src_port, dst_port, p->len, first4))
        return "the prefilter hides no form";
    if (payload_tool_set(IPPROTO_NR_UDP, dst_port, p->at, p->caught, p->len) &&
        !payload_tool_wants_udp(dst_port, p->len, first4))
        return "the prefilter hides no tool";
    enum udp_form_id answer = (enum udp_form_id)udp_answer_from[src_port];
    if (udp_forms[id].class == UDP_ANSWER && id != answer && id != udp_answer_beside(answer))
        return "an answer comes from its port";
    if (udp_forms[id].class == UDP_ASKS && udp_request_to[dst_port] != id)
        return "a request goes to its port";
    return NULL;
}

#endif
