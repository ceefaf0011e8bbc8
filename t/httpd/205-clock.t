#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The clock of the day is set an hour forwards, and an hour back behind the true
# time, while one worker hangs, one is busy and others are idle: limits of time
# are met by time that has passed, so only the one that hangs is retired, and
# not before its time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(mpms wait_until);
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

use constant { SOON => 60, HOUR => 3600, LIMIT => 8, BUSY => 4, SLACK => 60 };

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '300ms',
                             modules => ['wsgi'], name => "$mpm-clock");
    my $script = $s->wsgi_script;
    $s->{config} = <<"END";
ManagerMinAge 200ms
ManagerMaxTime @{[LIMIT]}s
ManagerHangingThreshold @{[LIMIT]}s
ManagerMaxLifetime 30m 0%
ManagerMaxGenerationAge 30m
ManagerLameDuck 500ms
ManagerGracePeriod 2s
WSGIScriptAlias /app $script
END
    $s->{clock} = $s->write('work/clock', pack 'q', 0);
    $s->{env} = { LD_PRELOAD => $s->build_object('clock_step'),
                  AMGR_CLOCK_STEP => $s->{clock} };
    return $s->start;
}

# Off the true time by so many seconds, and some ticks since.
sub set_clocks {
    my ($seconds, @servers) = @_;
    for my $file (map { $_->{clock} } @servers) {
        open my $fh, '+<:raw', $file or die "$file: $!\n";
        syswrite $fh, pack 'q', $seconds * 1_000_000 or die "$file: $!\n";
        close $fh or die "$file: $!\n";
    }
    for my $s (@servers) {
        ok(wait_until(sub {
            abs($s->json->{tick_time} - time - $seconds) < SLACK
        }, SOON, 'the clock'), $s->name . ": its clock is $seconds s off");
        $s->wait_ticks(2);
    }
    return;
}

# Nobody is retired, or thought to hang, but for time that has passed.
sub untouched {
    my ($s, $when) = @_;
    my $json = $s->json;
    my $name = $s->name;
    my $is_time = $s->{hanging}->took >= LIMIT;
    ok($is_time || !@{ $json->{kills} }, "$name: nobody is retired $when");
    ok($is_time || !$json->{manager}{hanging}, "$name: nobody hangs $when");
    my @old = grep { ($_->{age_seconds} // 0) > SLACK }
        @{ $json->{processes} };
    is(scalar @old, 0, "$name: nobody is taken for old $when");
    return;
}

sub begin {
    my ($s) = @_;
    AMGR::Case::Retire::grow_up($s);
    $s->{before} = [$s->workers];
    $s->{hanging} = $s->start_request('/app/sleep?s=600');
    $s->{busy} = $s->start_request('/app/sleep?s=' . BUSY);
    ok(wait_until(sub { $s->json->{server}{busy_workers} >= 3 }, SOON, 'busy'),
       $s->name . ': two are at work, beside this one');
    return;
}

sub busy_ends {
    my ($s) = @_;
    my $name = $s->name;
    ok($s->{busy}->wait(SOON), "$name: a request ends");
    is($s->{busy}->status, 200, "$name: in its own time");
    return;
}

sub finish {
    my ($s) = @_;
    my $name = $s->name;
    ok($s->{hanging}->wait(SOON), "$name: the one that hangs ends");
    isnt($s->{hanging}->status // 'none', 200, "$name: unanswered");
    cmp_ok($s->{hanging}->took, '>=', LIMIT, "$name: not before its time");
    my ($pid) = map { $_->{pid} } @{ $s->json->{kills} };
    ok($pid, "$name: there is a record") or return;
    my $r = AMGR::Case::Retire::record($s, $pid);
    is("$r->{reason} $r->{outcome}", 'time gone', "$name: of its time");
    cmp_ok($r->{measured}, '<', LIMIT + SLACK, "$name: which has passed");
    set_clocks($_, $s) for HOUR, 0;
    is(scalar @{ $s->json->{kills} }, 1, "$name: and of nobody else");
    AMGR::Case::Retire::all_live("$name: all others live",
                                 grep { $_ != $pid } @{ $s->{before} });
    is($s->json->{manager}{hanging}, 0, "$name: nobody hangs");
    $s->stop_ok;
    return;
}

my @servers = map { server($_) } mpms();
begin($_) for @servers;
for my $off (HOUR, -HOUR()) {
    set_clocks($off, @servers);
    untouched($_, "at $off s") for @servers;
}
busy_ends($_) for @servers;
finish($_) for @servers;
done_testing();
