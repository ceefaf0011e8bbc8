#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Managed processes that write more than anybody can keep: a gigabyte without
# the end of a line to the error log, to a file that must not grow, to nobody,
# and to a logger that dies; short lines without end; and a logger that does
# not read.  The process goes on, its guard stays small, and httpd serves.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::ManagedRogue qw(of_program of_shell touch);
use AMGR::ManagedSeen qw(guard_of high_water_kib is_told order process_lines);
use Apache::Test qw(-withtestmore);

use constant {
    MIB      => 1 << 20,
    GIB      => 1 << 30,
    SOON     => 120,      # a gigabyte, beside others
    ROOM     => 16 << 20, # no file of this server may be larger
    GROWN_KIB => 8 << 10, # what a guard may need beyond that of a quiet one
    A_SECOND => 200,      # lines of one process
};

# So many bytes, a word that it is done, and more when it is asked for.
sub writes {
    my ($name, $what) = @_;
    return "$what; echo >STATE/$name.done; "
        . "until [ -e STATE/$name.go ]; do sleep 0.1; done; "
        . 'echo and more; exec sleep 1000';
}

my $flood = 'head -c ' . GIB . ' /dev/zero';
my $s = AMGR::Httpd->new(mpm => 'event', name => 'output',
                         launcher => ['prlimit', '--fsize=' . ROOM]);
AMGR::ManagedRogue::prepare($s);
my $file = $s->path('logs/file.log');
$s->set_config(join '',
    of_program('quiet', '/bin/sleep 1000'),
    of_shell($s, 'log', writes('log', $flood)),
    of_shell($s, 'lines', writes('lines', 'yes | head -c ' . 16 * MIB)),
    of_shell($s, 'file', writes('file', $flood), "Output $file"),
    of_shell($s, 'nobody', writes('nobody', $flood), 'Output discard'),
    of_shell($s, 'dies', writes('dies', $flood),
             'Output "|/bin/sh -c \'head -c 100000 >/dev/null; exit 3\'"'),
    # It is told to end while it waits for the logger to read.
    of_shell($s, 'hangs', $flood, 'Output "|/bin/sleep 1000"',
             'StopTimeout 20s'));
$s->expect_log(qr/AMGR0037: process lines: it writes more than \d+ lines in a/,
               qr/AMGR0037: process lines: \d+ lines of its output were left/,
               qr/AMGR0038: process file: its output cannot be written to /,
               qr/AMGR0038: process dies: its logger \S+ ended by exit status/);
$s->start;

sub row { return AMGR::Managed::one($s, @_) }

# What a guard counts is known a second later.
sub counts {
    my ($name, $what, $least, $most) = @_;
    my $count;
    ok(wait_until(sub { $count = row($name)->{"output_$what"};
                        $count >= $least && $count <= $most; },
                  SOON, "$name: $what"), "$name: so many bytes $what")
        or diag("$count, not $least to $most");
    return;
}

# ---- httpd serves while they write ------------------------------------------

my @names = qw(log lines file nobody dies);
my @codes;
my $all = wait_until(sub {
    push @codes, $s->get('/')->code;
    return !grep { !-e AMGR::Managed::state_dir($s) . "/$_.done" } @names;
}, SOON, 'all have written');
ok($all, 'all of them have written all that they had');
is(scalar(grep { $_ != 200 } @codes), 0, 'httpd has served all the while');
cmp_ok(scalar @codes, '>', 1, 'more than once');

# ---- what it cost -----------------------------------------------------------

my $quiet = high_water_kib(guard_of(row('quiet')->{pid}));
for my $name (@names, 'hangs') {
    my $kib = high_water_kib(guard_of(row($name)->{pid}));
    cmp_ok($kib, '<', $quiet + GROWN_KIB, "$name: its guard stays small");
}
cmp_ok(-s $s->log_file, '<', 4 * MIB, 'so does the log');

# ---- where it went ----------------------------------------------------------

is(row('nobody')->{output_bytes}, 0, 'nobody: nothing was read');
counts('file', 'bytes', GIB, GIB);
counts('file', 'dropped', GIB - ROOM, GIB - ROOM);
is(-s $file, ROOM, 'file: it was kept as far as there was room');
is_told($s, 'file', qr/\(27\)File too large: AMGR0038: .* is lost$/, 1,
        'and told once');
truncate $file, 0 or die "$file: $!\n";
is_told($s, 'log', qr/AMGR0037/, 0, 'a line without an end is none yet');
# Each has a second, and those that do not live as long are told of twice.
my $ended = process_lines($s, 'dies', qr/ ended by exit status 3 and is started/);
cmp_ok($ended, '>=', 2, 'dies: its logger is started anew');
cmp_ok($ended, '<=', 2 + time - $^T, 'dies: and told of, not too often');
counts('dies', 'dropped', GIB / 2, GIB);

# A flood is over when nothing more came for a while.
ok(wait_until(sub { process_lines($s, 'lines', qr/AMGR0037: .* left out, /) },
              SOON, 'the end of the flood'), 'lines: what was left out is told');
my @told = process_lines($s, 'lines', qr/AMGR0037: process lines: y$/);
my ($out, $bytes) = (0, 0);
for (process_lines($s, 'lines', qr/ left out, /)) {
    my ($more, $size) = /: (\d+) lines of its output were left out, (\d+) bytes/;
    $out += $more;
    $bytes += $size;
}
is(@told + $out, 8 * MIB, 'lines: no line is missing in the sum');
counts('lines', 'dropped', $bytes, $bytes);
my ($first, $last) = map { 3600 * $_->[0] + 60 * $_->[1] + $_->[2] }
    map { [/ (\d\d):(\d\d):(\d\d\.\d+) /] } @told[0, -1];
my $seconds = int($last - $first + ($last < $first ? 86400 : 0)) + 1;
cmp_ok(scalar @told, '<=', A_SECOND * $seconds,
       'lines: so many in a second at most');

# ---- and then ---------------------------------------------------------------

touch($s, "$_.go") for @names;
ok(wait_until(sub { process_lines($s, 'log', qr/AMGR0037/) }, SOON, 'a line'),
   'log: its line has an end');
my ($line) = process_lines($s, 'log', qr/AMGR0037/);
like($line, qr/: process log: (?:\\{1,2}x00){200,}/, 'log: in letters');
cmp_ok(length $line, '<', 1500, 'log: and is cut');
counts('log', 'bytes', (GIB + length "and more\n") x 2);
counts('log', 'dropped', GIB - 1000, GIB);
ok(wait_until(sub { process_lines($s, 'file', qr/ again$/) }, SOON, 'a word'),
   'file: there is room again');
is(AMGR::Httpd::slurp($file), "and more\n", 'file: and it is used');

# ---- a logger that does not read ----------------------------------------------

my $guard = guard_of(row('hangs')->{pid});
my @tree = AMGR::Managed::tree($s, $guard);
my $r = order($s, 'stop', 'hangs');
is("$r->{code} $r->{out}", "0 hangs: stopped\n", 'hangs: is stopped');
is_told($s, 'hangs', qr/not gone in time/, 0, 'by itself');
ok(AMGR::Managed::are_gone(0, @tree), 'hangs: and its logger is gone, too');

is($s->get('/')->code, 200, 'the server serves');
$s->stop_ok;
done_testing();
