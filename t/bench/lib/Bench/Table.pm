# SPDX-License-Identifier: Apache-2.0
#
# Every row that there is, in its order: which measurement makes it, what it is
# about, its figures, and against what they are.  A figure is a format and a
# reach, the most it should be; "%s" is a number.  What is not listed here
# cannot be reported, what is listed must be.
package Bench::Table;

use strict;
use warnings;

use Exporter qw(import);
our @EXPORT_OK = qw(rows row sizes);

# Servers whose pages are compared.
my @sizes = (
    { key => 150, mpm => 'prefork', slots => 150, at_a_time => 40,
      what => '150 prefork processes' },
    { key => 1_600, mpm => 'event', processes => 64, threads => 25,
      slots => 1_600, at_a_time => 40, what => '1,600 event slots' },
    { key => 20_000, mpm => 'event', processes => 20, threads => 1_000,
      slots => 20_000, at_a_time => 8, what => '20,000 event slots' },
);

sub sizes { return map { +{ %$_, needs_all => 1 } } @sizes }

use constant {
    CPU_RATIO => '%s times the CPU time',
    PAGE      => 'a page of mod_status: %s ms',
    WITHOUT   => 'the same server without the module',
    INSTRUCTIONS_MORE => '%s instructions more',
    FILE      => 'a small file without the module: %s instructions',
    NOT_SO    => 'the same without it: %s instructions',
    INTERVAL  => '`ManagerInterval 500ms`',
};

my @rows = (answers(), ticks(), growth(), loads(), requests(), memory(),
            first(), reaction(), managed(), tool());

my %by_key = map { $_->{key} => $_ } @rows;
keys %by_key == @rows or die "two rows of the table have one key\n";

sub rows { return @rows }

sub row {
    my ($key) = @_;
    return $by_key{$key} // die "no row '$key' in the table\n";
}

sub entry {
    my ($part, $key, $what, $against, @figures) = @_;
    return { part => $part, key => $key, what => $what, against => $against,
             figures => [map { { format => $_->[0], reach => $_->[1] } }
                         @figures] };
}

sub answers {
    my %reach = (150 => 1, 1_600 => 0.1, 20_000 => 0.1);
    my @found;
    for my $size (@sizes) {
        my ($key, $at) = @$size{qw(key what)};
        push @found,
            entry('answers', "page-$key", "the page at $at",
                  'a page of mod_status, %s %% of whose slots have served: '
                  . '%s ms', [CPU_RATIO, 1], ['%s times as many a second']),
            entry('answers', "auto-$key", "`?auto` at $at",
                  'mod_status\'s `?auto`: %s ms', [CPU_RATIO, 1]),
            entry('answers', "json-$key", "`status.json` at $at", PAGE,
                  [CPU_RATIO, 1]),
            entry('answers', "metrics-$key", "`/metrics` at $at", PAGE,
                  [CPU_RATIO, $reach{$key}]);
    }
    return @found;
}

sub ticks {
    my @found;
    for (['400', '400 prefork processes', 4],
         ['20000', '20,000 event slots', 10]) {
        my ($key, $at, $reach) = @$_;
        my @figures = (['%s ms of CPU time', $reach], ['%s times a page']);
        push @found,
            entry('ticks', "parent-$key",
                  "a tick in the parent, every 10 s, at $at", PAGE, @figures),
            entry('ticks', "ticker-$key",
                  "a tick in the ticker, every 500 ms, at $at", PAGE,
                  @figures);
    }
    return @found;
}

sub growth {
    my $linear = 'in proportion: exponent 1';
    my $processes = 'by processes, 25 to 400 of prefork';
    my $slots = 'by slots, 200 to 20,000 in 20 processes of event';
    return (
        entry('growth', 'cpu-processes', "CPU time of a tick $processes",
              $linear, ['%s µs by itself'], ['%s µs for each process'],
              ['exponent %s', 1.05]),
        entry('growth', 'cpu-slots', "CPU time of a tick $slots", $linear,
              ['%s µs by itself'], ['%s ns for each slot'],
              ['exponent %s', 1.05]),
        entry('growth', 'calls-processes',
              "system calls of a tick at most, $processes", $linear,
              ['%s by itself'], ['%s for each process'], ['exponent %s', 1.05]),
        entry('growth', 'calls-slots', "system calls of a tick at most, $slots",
              'none by slots', ['%s by itself'], ['%s for each slot', 0.01]),
        entry('growth', 'board', 'the board, shared by all', undef,
              ['%s bytes for each slot', 1_024],
              ['%s bytes for each process', 4_096],
              ['%s MB in all with 20,000 slots']),
    );
}

sub loads {
    my %what = (static => 'a small file', wsgi => 'a small WSGI application');
    my @found;
    for my $mpm (qw(prefork worker event)) {
        push @found, map {
            entry('loads', "$_-$mpm",
                  "$what{$_} on $mpm, a tick every second",
                  WITHOUT . ': %s µs, %s a second, p99 %s µs (a second one of '
                  . 'that kind: %s, %s and %s times)',
                  ['%s times the CPU time', 1.05],
                  ['%s times as many a second'], ['p99 %s times'])
        } qw(static wsgi);
    }
    return @found;
}

sub requests {
    return (
        entry('requests', 'hooks', 'an ordinary request', FILE,
              ['%s hooks', 2], ['%s instructions in them', 20]),
        entry('requests', 'limit-server', 'with a `ManagerMaxTime` of the '
              . 'server', NOT_SO, [INSTRUCTIONS_MORE, 1_200]),
        entry('requests', 'limit-location', 'with a `ManagerMaxTime` of its '
              . 'location', NOT_SO, [INSTRUCTIONS_MORE, 1_200]),
        entry('requests', 'limit-off', 'with `ManagerMaxTime Off` in its '
              . 'location', NOT_SO, [INSTRUCTIONS_MORE, 600]),
        entry('requests', 'gate', 'behind a `ManagerGate` that is open',
              NOT_SO, [INSTRUCTIONS_MORE, 1_200]),
    );
}

sub memory {
    return map {
        entry('memory', "child-$_", "private memory of a child of $_",
              WITHOUT . ': %s KiB', ['%s KiB more', 64])
    } qw(prefork worker event);
}

sub first {
    return (
        (map {
            entry('first', "first-$_->[0]", "memory that a process takes for "
                  . "its first answer, $_->[1]", 'as much with few slots',
                  ['%s KiB with 128 event slots'],
                  ['%s KiB more with 1,600', 64])
        } [auto => '`?auto`'], [metrics => '`/metrics`'],
          [json => '`status.json`']),
        entry('first', 'rendering', 'memory of an answer that is being '
              . 'written, `status.json`', 'as much with few slots',
              ['%s KiB with 200 event slots'],
              ['%s KiB more with 20,000', 64]),
    );
}

sub reaction {
    my @at_most = (['%s ms at most', 600], ['median %s ms']);
    return (
        entry('reaction', 'decision-idle', 'from over a limit to the '
              . 'decision, idle worker', INTERVAL, @at_most),
        entry('reaction', 'decision-active', 'from over a limit to the '
              . 'decision, active worker', INTERVAL, @at_most),
        entry('reaction', 'signal', 'from over a limit to the signal, idle '
              . 'worker of prefork', INTERVAL, @at_most),
        entry('reaction', 'end', 'from over a limit to its end, idle worker',
              INTERVAL, ['%s ms at most'], ['median %s ms']),
    );
}

sub managed {
    my $parent = 'the httpd parent beside it: %s ms a minute';
    return (
        entry('managed', 'supervisor', 'the supervisor of 40 processes at '
              . 'rest', $parent, ['%s ms of CPU time a minute', 120],
              ['%s KiB of private memory']),
        entry('managed', 'guards', 'the guards of 40 processes at rest, '
              . 'together', $parent, ['%s ms of CPU time a minute', 60],
              ['%s KiB of private memory each']),
    );
}

sub tool {
    my @figures = (['%s ms of CPU time', 5], ['%s ms by the clock'],
                   ['%s MB', 8]);
    my $curl = '`curl` of mod_status\'s `?auto`: %s ms, %s MB';
    my $at = '`apache-manager -c -f FILE` at 400 prefork processes';
    return (
        entry('tool', 'tool-start', '`apache-manager --version`', $curl,
              @figures),
        entry('tool', 'tool-board', "$at, through the board", $curl, @figures),
        entry('tool', 'tool-http', "$at, over HTTP by its helper", $curl,
              ['%s ms of CPU time'], ['%s ms by the clock'], ['%s MB']),
    );
}

1;
