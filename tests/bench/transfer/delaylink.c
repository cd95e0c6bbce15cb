/* A link with a length: two tun devices whose packets reach each other after a fixed delay.
 *
 *     delaylink NAME NAME DELAY_US [RATE_BITS_PER_S [QUEUE_BYTES [LOSS_PER_MILLION]]]
 *
 * Makes both devices, says "ready" on stdout and carries packets until its stdin ends; then prints packets,
 * bytes and drops for each direction. DELAY_US is one way. With a rate, a packet leaves when those before it
 * have left, and one that would find more than QUEUE_BYTES waiting is dropped, as at a router. The caller
 * moves the devices to their network namespaces and gives them addresses.
 *
 * Without rate and loss, packets are the kernel's segments of up to 64 KiB (checksum and segmentation are
 * handed from one device to the other unread), which is what makes several GB/s possible in one thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 65536 + 64, BATCH = 256, BLOCK = 1 << 20 };
/* Blocks each way: what 400 ms at 10 Gbit/s keep under way. */
enum { MOST_BLOCKS = 512 };
/* Packets are looked at this often while any come: one wake-up carries many. A hundredth of the delay. */
static uint64_t tick_ns;

struct packet {
    uint64_t due;
    uint64_t length;
    unsigned char data[];
};

/* Packets one after the other. A block that was emptied last is filled first: it is still in the cache. */
struct block {
    struct block *next;
    size_t used;
    _Alignas(8) unsigned char data[BLOCK];
};

struct way {
    int from, to;
    struct block *first, *last, *spare;
    int blocks;
    size_t head;      /* of the packets under way, in the first block */
    uint64_t free_at; /* when the sender's side has sent what it has */
    uint64_t packets, bytes, drops;
};

static uint64_t delay_ns, rate, queue_bytes, loss;
static uint64_t noise = 88172645463325252u;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_device(const char *name, int whole_segments) {
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) die("/dev/net/tun");
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) < 0) die(name);
    unsigned offload = whole_segments ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
    if (ioctl(fd, TUNSETOFFLOAD, offload) < 0) die("TUNSETOFFLOAD");
    return fd;
}

static int is_lost(void) {
    if (!loss) return 0;
    noise ^= noise << 13;
    noise ^= noise >> 7;
    noise ^= noise << 17;
    return noise % 1000000 < loss;
}

/* When a packet of this length that came now arrives; 0 if it is dropped. */
static uint64_t arrival(struct way *way, uint64_t now, size_t length) {
    if (is_lost()) return 0;
    if (!rate) return now + delay_ns;
    uint64_t start = way->free_at > now ? way->free_at : now;
    if ((start - now) * rate / 8 / 1000000000u > queue_bytes) return 0;
    way->free_at = start + (uint64_t)length * 8 * 1000000000u / rate;
    return way->free_at + delay_ns;
}

/* A place for one more packet of any length, or NULL when too much is under way. */
static struct packet *place(struct way *way) {
    struct block *last = way->last;
    if (!last || BLOCK - last->used < sizeof(struct packet) + LARGEST) {
        struct block *fresh = way->spare;
        if (fresh) {
            way->spare = fresh->next;
        } else {
            if (way->blocks == MOST_BLOCKS || !(fresh = malloc(sizeof *fresh))) return NULL;
            way->blocks++;
        }
        fresh->next = NULL;
        fresh->used = 0;
        if (last) last->next = fresh;
        else way->first = fresh;
        way->last = last = fresh;
    }
    return (struct packet *)(last->data + last->used);
}

static size_t whole(uint64_t length) { return (sizeof(struct packet) + length + 7) & ~(size_t)7; }

/* Takes what has come; 1 if anything did. */
static int take(struct way *way) {
    uint64_t now = now_ns();
    for (int i = 0; i < BATCH; i++) {
        static unsigned char nowhere[sizeof(struct packet) + LARGEST];
        struct packet *packet = place(way);
        int is_full = !packet;
        if (is_full) packet = (struct packet *)nowhere;
        ssize_t length = read(way->from, packet->data, LARGEST);
        if (length <= 0) return i > 0;
        packet->due = is_full ? 0 : arrival(way, now, (size_t)length);
        if (!packet->due) {
            way->drops++;
            continue;
        }
        packet->length = (uint64_t)length;
        way->last->used += whole(packet->length);
        way->packets++;
        way->bytes += packet->length;
    }
    return 1;
}

/* Hands over what is due; returns when the next packet is, or 0 when none is under way. */
static uint64_t give(struct way *way) {
    uint64_t now = now_ns();
    while (way->first) {
        struct block *first = way->first;
        if (way->head == first->used) {
            way->head = 0;
            if (first == way->last) {
                first->used = 0;
                return 0;
            }
            way->first = first->next;
            first->next = way->spare;
            way->spare = first;
            continue;
        }
        struct packet *packet = (struct packet *)(first->data + way->head);
        if (packet->due > now) return packet->due;
        /* EIO means that the device is not up any more; then the packet is lost, as on a cut cable. */
        if (write(way->to, packet->data, packet->length) < 0) way->drops++;
        way->head += whole(packet->length);
    }
    return 0;
}

static void wait_for(struct pollfd *fds, uint64_t next, int is_busy) {
    uint64_t now = now_ns(), wake = next;
    if (is_busy && (!next || next > now + tick_ns)) wake = now + tick_ns;
    uint64_t pause = wake > now ? wake - now : 0;
    struct timespec t = {(time_t)(pause / 1000000000u), (long)(pause % 1000000000u)};
    if (is_busy)
        nanosleep(&t, NULL); /* without looking: what comes meanwhile is carried together */
    else
        ppoll(fds, 3, wake ? &t : NULL, NULL);
}

static uint64_t number(int count, char **words, int at, uint64_t otherwise) {
    return count > at ? strtoull(words[at], NULL, 10) : otherwise;
}

int main(int count, char **words) {
    if (count < 4) {
        fputs("delaylink NAME NAME DELAY_US [RATE_BITS_PER_S [QUEUE_BYTES [LOSS_PER_MILLION]]]\n", stderr);
        return 2;
    }
    rate = number(count, words, 4, 0);
    queue_bytes = number(count, words, 5, 1 << 20);
    loss = number(count, words, 6, 0);
    delay_ns = number(count, words, 3, 0) * 1000;
    tick_ns = delay_ns / 100 < 100 * 1000 ? delay_ns / 100 : 100 * 1000;
    delay_ns -= tick_ns / 2; /* which a packet waits on average before it is seen */
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    struct way ways[2];
    memset(ways, 0, sizeof ways);
    for (int i = 0; i < 2; i++) {
        ways[i].from = open_device(words[1 + i], !rate && !loss);
    }
    ways[0].to = ways[1].from;
    ways[1].to = ways[0].from;
    puts("ready");
    fflush(stdout);
    struct pollfd fds[3] = {{ways[0].from, POLLIN, 0}, {ways[1].from, POLLIN, 0}, {0, POLLIN, 0}};
    for (unsigned turn = 0;; turn++) {
        int came = take(&ways[0]) | take(&ways[1]);
        uint64_t a = give(&ways[0]), b = give(&ways[1]);
        uint64_t next = !a ? b : !b ? a : a < b ? a : b;
        if (turn % 1024 == 0 || !came) {
            if (poll(&fds[2], 1, 0) > 0) break;
        }
        wait_for(fds, next, came);
    }
    for (int i = 0; i < 2; i++)
        printf("%s %llu packets %llu bytes %llu drops\n", words[1 + i], (unsigned long long)ways[i].packets,
               (unsigned long long)ways[i].bytes, (unsigned long long)ways[i].drops);
    return 0;
}
