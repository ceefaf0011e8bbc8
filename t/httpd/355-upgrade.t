#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The board of another build of the module at a graceful restart: what of it can
# be read is gone on with, the rest begins anew, and that is told.  For that,
# what the old build has written into the header is changed; 356-next-build.t
# has another build.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Control qw(retire_one);
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use Fcntl qw(SEEK_SET);

use constant {
    SOON => 30,
    # Of src/action/board_layout.h: 32 bits each.
    VERSION_AT => 8,
    RECORD_AT  => 8 + 4 + 4 + 16 + 40 + 8 * 4, # size of a record
};

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms');
AMGR::Managed::prepare($s);
$s->set_config("ManagerMinAge 100ms\nManagerStormLimit Off\n"
               . "ManagerSocket control.sock\n"
               . AMGR::Managed::section($s, 'web'));
$s->start;
my $web = AMGR::Managed::wait_for($s, 'web', 'READY');

# By one more than it is.
sub change {
    my ($at) = @_;
    my $file = $s->board_file;
    open my $fh, '+<:raw', $file or die "$file: $!\n";
    seek $fh, $at, SEEK_SET or die "$file: $!\n";
    read($fh, my $bytes, 4) == 4 or die "$file: $!\n";
    seek $fh, $at, SEEK_SET or die "$file: $!\n";
    print {$fh} pack 'L<', 1 + unpack 'L<', $bytes or die "$file: $!\n";
    close $fh or die "$file: $!\n";
    return;
}

# Restart over a board that is changed there; what begins anew.
sub upgrade {
    my ($at, $anew, $what) = @_;
    my $inode = (stat $s->board_file)[1];
    $s->mark_log;
    change($at);
    ok($s->graceful, "$what: graceful restart");
    my ($told) = map { /these begin anew: (.*)/ } $s->log_lines(
        qr/AMGR0009: another build of this module has kept/);
    is($told, $anew, "$what: what begins anew is told");
    isnt((stat $s->board_file)[1], $inode, "$what: there is a new board");
    ok($s->wait_ticks(2), "$what: it ticks");
    # The supervisor, of the old build, could not tell of it on the new board.
    my $now = AMGR::Managed::wait_for($s, 'web', 'READY', $web->{pid});
    ok($now, "$what: managed processes are started anew") and $web = $now;
    is(scalar(my @l = $s->log_lines(
        qr/AMGR0040: supervisor \d+ is replaced, .*: its board has been/)), 1,
       "$what: which is told");
    ok(!-e AMGR::Managed::state_dir($s) . '/web.double',
       "$what: never two of one");
    return $s->json;
}

ok(retire_one($s), 'before: a worker is retired');
my $before = $s->json;
my $killed = $before->{manager}{killed_idle};

my $json = upgrade(RECORD_AT, 'retirements', 'other records');
is(scalar @{ $json->{kills} }, 0, 'they are not read');
is($json->{manager}{killed_idle}, $killed, 'what was counted stays');
cmp_ok($json->{manager}{ticks}, '>', $before->{manager}{ticks}, 'ticks too');
ok(retire_one($s), 'other records: a worker is retired');
is(scalar @{ $s->json->{kills} }, $s->json->{manager}{killed_idle} - $killed,
   'there are new ones');

$json = upgrade(VERSION_AT, 'counters retirements evidence history managed '
                . 'processes', 'another version');
is($json->{manager}{killed_idle}, 0, 'nothing of it is read');
is(scalar @{ $json->{kills} }, 0, 'no records either');
ok(retire_one($s), 'another version: a worker is retired');

# And the next restart is one like any other.
my $inode = (stat $s->board_file)[1];
ok($s->graceful, 'a restart after that');
is((stat $s->board_file)[1], $inode, 'has the same board');
is(scalar(my @anew = $s->log_lines(qr/begin anew/)), 1, 'nothing begins anew');
$s->stop_ok;
done_testing();
