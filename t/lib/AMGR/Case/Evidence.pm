# SPDX-License-Identifier: Apache-2.0
#
# A worker that hangs in a socket is retired, and its record tells what it was
# waiting for; the request that it had is in the log.
package AMGR::Case::Evidence;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use IO::Select;
use IO::Socket::INET;

# Connects to the port in the query and waits for a byte that never comes.
my $application = <<'PYTHON';
import socket
from urllib.parse import parse_qs


def application(environ, start_response):
    port = int(parse_qs(environ["QUERY_STRING"])["port"][0])
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.recv(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"late\n"]
PYTHON

sub run {
    my (@mpms) = @_;
    for my $mpm (@mpms) {
        shown($mpm);
        hidden($mpm);
        dry_run($mpm);
    }
    done_testing();
    return;
}

sub server {
    my ($mpm, $config, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '250ms',
                             modules => ['wsgi'], %more);
    my $script = $s->write('work/hang.wsgi', $application);
    $s->{config} .= "ManagerMinAge 1s\nManagerMaxTime 2s\n$config\n"
        . "WSGIScriptAlias /hang $script\n";
    return $s->start;
}

sub listener {
    my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
        or die "no socket: $@\n";
    return $socket;
}

# Let a worker hang at this listener; the request and the worker's end of it.
sub hang {
    my ($s, $listener) = @_;
    my $request = $s->start_request('/hang?secret=1&port='
                                    . $listener->sockport);
    my $link;
    ok(wait_until(sub {
        IO::Select->new($listener)->can_read(0) or return 0;
        return $link = $listener->accept;
    }, 30, 'a connection'), $s->name . ': the application hangs');
    return ($request, $link);
}

# The first record, once its end was seen.
sub first_record {
    my ($s) = @_;
    my $record;
    wait_until(sub {
        ($record) = @{ $s->json->{kills} };
        $record && $record->{outcome} ne 'pending';
    }, 30, 'a finished record');
    ok($record, $s->name . ': there is a record') or return {};
    return $record;
}

sub obeys_schema {
    my ($s) = @_;
    is_deeply([schema_errors($s->get('/manager-status/status.json')->content)],
              [], $s->name . ': status.json obeys its schema');
    return;
}

# What of the record's evidence concerns the threads.
sub threads_ok {
    my ($mpm, $evidence, $port, $link) = @_;
    is($evidence->{access}, 'ok', "$mpm: its threads were looked at");
    is($evidence->{threads_unread}, 0, 'all of them');
    my ($at) = grep { ($_->{target} // '') =~ /to 127\.0\.0\.1:$port\b/ }
        @{ $evidence->{blocked} };
    ok($at, "$mpm: one waits for the peer") or do {
        diag(explain($evidence->{blocked}));
        return;
    };
    like($at->{call}, qr/^(?:recvfrom|read)$/, "$mpm: in this call");
    is($at->{threads}, 1, 'it alone');
    cmp_ok($at->{fd} // -1, '>', 2, 'on this descriptor');
    is($at->{target}, 'tcp 127.0.0.1:' . $link->peerport
       . " to 127.0.0.1:$port", "$mpm: which is this connection");
    # The idle ones have gone when they were asked to.
    cmp_ok($evidence->{threads}, '>', 1, 'beside another thread')
        if $mpm ne 'prefork';
    return;
}

sub shown {
    my ($mpm) = @_;
    my $s = server($mpm, '', name => "$mpm-evidence");
    my $listener = listener();
    my $port = $listener->sockport;
    my ($request, $link) = hang($s, $listener);
    my $record = first_record($s);
    my $evidence = $record->{evidence};
    ok($evidence, "$mpm: the record has evidence") or return $s->stop_ok;
    threads_ok($mpm, $evidence, $port, $link);
    my ($seen) = grep { ($_->{request} // '') =~ m{^GET /hang\b} }
        @{ $evidence->{requests} };
    ok($seen, "$mpm: the request is among those in flight");
    unlike($seen->{request}, qr/secret/, 'without its query');
    cmp_ok($seen->{age_seconds} // 0, '>=', 2, 'with its age');
    is($seen->{client}, '127.0.0.1', 'its client');
    # Event marks all of a process that stops.
    is($seen->{mode}, $mpm eq 'event' ? 'G' : 'W', 'its mode');
    cmp_ok($evidence->{rss_bytes}, '>', 1024 * 1024, 'memory');
    cmp_ok($evidence->{took_seconds}, '<', 5, 'and soon');
    obeys_schema($s);
    like($s->get('/manager-status')->content,
         qr{<details\ id="kill-\d+">.*recvfrom.*127\.0\.0\.1:$port}sx,
         "$mpm: on the page");
    ok($request->wait(30), 'the request ends');
    my @lost = $s->log_lines(qr/lost request/);
    is(scalar(grep { m{AMGR0024:\ lost\ request:\ \S+\ 127\.0\.0\.1\ -\ -
                       \ \[\d\d/\w{3}/\d{4}:[\d:]{8}\ \+0000\]
                       \ \\?"GET\ /hang[^?"]*\\?"\ 000\ 0\ \d{7,8}$}x } @lost),
       1, "$mpm: the line of the log") or diag(join "\n", @lost);
    # A new board takes it over.
    ok($s->graceful, 'graceful restart');
    is_deeply($s->json->{kills}[0]{evidence}, $evidence,
              "$mpm: kept over a restart");
    $s->stop_ok;
    return;
}

sub hidden {
    my ($mpm) = @_;
    my $s = server($mpm, 'ManagerShowRequests Off', name => "$mpm-hidden");
    my $listener = listener();
    my ($request, $link) = hang($s, $listener);
    my $evidence = first_record($s)->{evidence};
    ok($evidence, "$mpm: evidence") or return $s->stop_ok;
    is(scalar(grep { defined $_->{request} } @{ $evidence->{requests} }), 0,
       "$mpm: no request is shown");
    ok(scalar @{ $evidence->{requests} }, 'though one was in flight');
    ok($request->wait(30), 'it ends');
    my @lost = $s->log_lines(qr/lost request/);
    ok(scalar @lost, 'and is in the log');
    is(scalar(grep { /hang|secret/ } @lost), 0, "$mpm: not shown there either")
        or diag(join "\n", @lost);
    $s->stop_ok;
    return;
}

sub dry_run {
    my ($mpm) = @_;
    my $s = server($mpm, 'ManagerDryRun On', name => "$mpm-dry");
    my $listener = listener();
    my ($request, $link) = hang($s, $listener);
    my $record = first_record($s);
    is($record->{outcome}, 'dry_run', "$mpm: a dry run");
    ok(exists $record->{evidence}, 'evidence is a key');
    is($record->{evidence}, undef, "$mpm: nobody looked");
    is(scalar(my @lost = $s->log_lines(qr/lost request/)), 0,
       "$mpm: nothing was lost");
    obeys_schema($s);
    syswrite $link, 'x';
    ok($request->wait(30), 'the request ends');
    is($request->status, 200, 'and is answered');
    $s->stop_ok;
    return;
}

1;
