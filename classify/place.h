/* place: where in a file something stands, for messages. */
#ifndef CLASSIFY_PLACE_H
#define CLASSIFY_PLACE_H

struct place {
    unsigned line, column; /* from 1 */
};

#endif
