#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A process of which one thread outlives SIGKILL, as one does that hangs in the
# kernel: its first thread is a zombie, but it is not gone, and is not said to
# be before it is.  A worker and a WSGI daemon.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(mpms repo_dir wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use IPC::Open2 ();

use constant { SOON => 60, MB => 1024 * 1024 };

# Tells its process and thread, lets anybody trace it, and takes its time.
my $application = <<'END';
import ctypes
import os
import threading
import time

PR_SET_PTRACER = 0x59616d61
kept = []

def application(environ, start_response):
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_long(-1))
    kept.append(b"x" * (150 << 20))
    with open(environ["SCRIPT_FILENAME"] + environ["SCRIPT_NAME"].replace(
            "/", ".") + ".ids", "w") as ids:
        print(os.getpid(), threading.get_native_id(), file=ids)
    time.sleep(90)
END

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, modules => ['wsgi'],
                             interval => '300ms', name => $mpm);
    my $script = $s->write('work/held.wsgi', $application);
    $s->write("work/held.wsgi.$_.ids", '', 0666) for qw(app shop);
    $s->{config} = <<"END";
ManagerMinAge 1s
ManagerMaxRetiring 2
<Location "/app">
    ManagerMaxTime 1s
</Location>
<ManagerGroup shop>
    ManagerMaxMemoryActive 100M
</ManagerGroup>
WSGIDaemonProcess shop threads=2 home=/ display-name=%{GROUP}
WSGIScriptAlias /app $script
WSGIScriptAlias /shop $script process-group=shop
END
    return $s->start;
}

# Its process and thread, once the application has told.
sub ids {
    my ($s, $name) = @_;
    my @ids;
    wait_until(sub {
        open my $fh, '<', $s->path("work/held.wsgi.$name.ids") or return;
        @ids = (<$fh> // '') =~ /^(\d+) (\d+)$/;
    }, SOON, "the ids of $name");
    return @ids;
}

# The threads are held until the end of the program's input.
sub hold {
    my (@threads) = @_;
    my $pid = IPC::Open2::open2(my $out, my $in, 'python3',
                                repo_dir() . '/t/lib/py/hold_thread.py',
                                @threads);
    is(scalar <$out>, "held\n", 'threads are held');
    return { pid => $pid, in => $in, out => $out };
}

sub begin {
    my ($mpm) = @_;
    my $s = server($mpm);
    # What a killed daemon has to say of itself is mod_wsgi's.
    $s->expect_log(qr/\[wsgi:(?:error|warn)\]/, qr/AMGR0020: /);
    my %request = map { $_ => $s->start_request("/$_") } qw(app shop);
    my %ids = map { $_ => [ids($s, $_)] } sort keys %request;
    my $held = hold(map { $_->[1] } values %ids);
    return { s => $s, request => \%request, held => $held,
             pid => { map { $_ => $ids{$_}[0] } keys %ids } };
}

sub is_zombie {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/stat" or return 0;
    return <$fh> =~ /\) Z /;
}

sub stays {
    my ($server, $name) = @_;
    my ($s, $pid) = ($server->{s}, $server->{pid}{$name});
    my $what = $s->mpm . ": $name";
    ok(wait_until(sub { $s->log_lines(qr/AMGR0020: worker $pid /) }, SOON,
                  'AMGR0020'), "$what: that it outlives its SIGKILL is told")
        or diag($s->log_lines(qr/AMGR00\d\d: .*\b$pid\b/));
    ok(is_zombie($pid), 'its first thread has ended');
    my @gone = $s->log_lines(qr/AMGR0017: .*\b$pid\b/);
    is("@gone", '', 'and that it is gone is not');
    my $json = $s->json;
    my ($process) = grep { $_->{pid} == $pid } @{ $json->{processes} };
    is($process->{state}, 'retiring', "$what: it is shown");
    cmp_ok($process->{rss_bytes} // 1e12, '<', 100 * MB,
           'with what little it has left');
    my ($record) = grep { $_->{pid} == $pid } @{ $json->{kills} };
    is($record->{outcome}, 'pending', 'its record is not closed');
    cmp_ok($record->{freed_bytes}, '>', 100 * MB,
           'what it has given back meanwhile is not forgotten');
    return;
}

sub goes {
    my ($server) = @_;
    my ($s, $held) = @$server{qw(s held)};
    close $held->{in};
    waitpid $held->{pid}, 0;
    for my $name (sort keys %{ $server->{pid} }) {
        my $r = AMGR::Case::Retire::record($s, $server->{pid}{$name});
        is($r->{outcome}, 'gone', $s->mpm . ": $name is gone once it is");
        cmp_ok($r->{ended_seconds}, '>', 10, 'which took its time');
        cmp_ok($r->{freed_bytes}, '>', 100 * MB, 'and what came back');
        $server->{request}{$name}->wait(SOON);
    }
    is_deeply([schema_errors($s->get('/manager-status/status.json')->content)],
              [], $s->mpm . ': status.json obeys its schema');
    $s->stop_ok;
    return;
}

my @servers = map { begin($_) } grep { $_ ne 'prefork' } mpms();
for my $server (@servers) {
    stays($server, $_) for qw(app shop);
    goes($server);
}
done_testing();
