#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Connections that have no end of their own have a grace period of their own,
# whether a time limit is set or not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

my $application = <<'END';
import time


def application(environ, start_response):
    stream = environ["PATH_INFO"] == "/events"
    kind = "text/event-stream" if stream else "text/plain"
    start_response("200 OK", [("Content-Type", kind)])
    if not stream:
        time.sleep(5)
        return [b"slept\n"]
    return events()


def events():
    yield b"data: begun\n\n"
    time.sleep(60)
    yield b"data: done\n\n"
END

# One process that serves all, and is retired by its age.
my %sizes = (
    prefork => "StartServers 2\nMinSpareServers 1\nMaxSpareServers 8\n"
             . "MaxRequestWorkers 8\n",
    event   => "StartServers 1\nThreadsPerChild 8\nMinSpareThreads 1\n"
             . "MaxSpareThreads 48\nMaxRequestWorkers 48\n",
);

sub server {
    my ($mpm, $name, $more) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             modules => ['wsgi'], name => "$mpm-$name",
                             mpm_config => $sizes{$mpm});
    my $script = $s->write('work/endless.wsgi', $application);
    $s->{config} .= <<"END";
ManagerMinAge 1ms
ManagerMaxRetiring 100%
ManagerMaxLifetime 2s 0%
ManagerGracePeriod 5m
WSGIScriptAlias /app $script
$more
END
    return $s->start;
}

# The record of the process that served the stream.
sub record_of {
    my ($s, $request) = @_;
    my $record;
    wait_until(sub {
        ($record) = grep { $_->{action} eq 'kill' && $_->{outcome} eq 'gone' }
            @{ $s->json->{kills} };
        $record;
    }, 30, 'a kill') or return {};
    return $record;
}

# All servers at once: what they wait for is time.
my @waiting;
for my $mpm (qw(prefork event)) {
    for my $more ('', 'ManagerMaxTime 1h', 'ManagerMaxTime Off') {
        my $name = $more ? lc $more =~ s/\W+/-/gr : 'alone';
        my $s = server($mpm, $name, "ManagerEndlessGracePeriod 1s\n$more");
        push @waiting, { s => $s, begun => time,
                         stream => $s->start_request('/app/events'),
                         slow => $s->start_request('/app/slow') };
    }
    my $s = server($mpm, 'unset', 'ManagerGracePeriod 2s');
    push @waiting, { s => $s, stream => $s->start_request('/app/events') };
}
$_->{slow} ? spared($_) : unset($_) for @waiting;
done_testing();

sub spared {
    my ($one) = @_;
    my ($s, $stream, $slow) = @$one{qw(s stream slow)};
    my $name = $s->name;
    my $record = record_of($s);
    is($record->{reason}, 'lifetime', "$name: retired by its age");
    ok($stream->wait(30), "$name: the stream ends");
    cmp_ok(time - $one->{begun}, '<', 120, 'long before the grace period');
    unlike($stream->bytes, qr/done/, 'cut off');
    ok($slow->wait(30), "$name: the slow request ends");
    is($slow->status, 200, 'answered');
    is($s->json->{manager}{requests_lost}, 1,
       "$name: one was lost, the stream");
    $s->expect_log(qr/\[wsgi:error\]/);
    $s->stop_ok;
    return;
}

# Without the directive it is a request like any other.
sub unset {
    my ($one) = @_;
    my ($s, $stream) = @$one{qw(s stream)};
    my $name = $s->name;
    my $record = record_of($s);
    cmp_ok(($record->{killed_seconds} // 0) - ($record->{asked_seconds} // 0),
           '>=', 2, "$name: without it the stream has the grace period");
    ok($stream->wait(30), 'and ends then');
    $s->expect_log(qr/\[wsgi:error\]/);
    $s->stop_ok;
    return;
}
