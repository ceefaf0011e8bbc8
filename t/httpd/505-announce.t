#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The answers of a worker that was announced tell the client to connect anew,
# whatever kind of answer it is; those of others do not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Request;
use Apache::Test qw(-withtestmore);

# One process serves all, so that every answer is its own.
my %sizes = (
    prefork => "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\n"
             . "ServerLimit 2\nMaxRequestWorkers 2\n",
    worker  => "StartServers 1\nThreadsPerChild 8\nMinSpareThreads 1\n"
             . "MaxSpareThreads 8\nServerLimit 2\nMaxRequestWorkers 16\n",
);
$sizes{event} = $sizes{worker};

# The head of the answer to a client that would keep its connection.
sub head {
    my ($s, $path) = @_;
    my $request = AMGR::Request->new($s->port, "GET $path HTTP/1.1\r\n"
                                     . "Host: 127.0.0.1\r\n\r\n");
    wait_until(sub { $request->pump(0); $request->bytes =~ /\r\n\r\n/ }, 30,
               "an answer to $path");
    my ($head) = $request->bytes =~ /\A(.*?\r\n)\r\n/s;
    $request->close_now;
    return $head // '';
}

my %answers = (
    '/'               => 200,
    '/missing'        => 404,
    '/denied'         => 403,
    '/app/pid'        => 200,
    '/moved'          => 302,
    '/proxied/app/pid' => 200,
);

for my $mpm (qw(prefork worker event)) {
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             modules => [qw(wsgi alias proxy proxy_http)],
                             mpm_config => $sizes{$mpm});
    my $back = AMGR::Httpd->new(mpm => 'event', name => "$mpm-backend",
                                modules => ['wsgi']);
    my $app = $back->wsgi_script;
    $back->{config} .= "WSGIScriptAlias /app $app\n";
    $back->start;
    my $script = $s->wsgi_script;
    my $to = $back->port;
    $s->{config} .= <<"END";
WSGIScriptAlias /app $script
Redirect /moved /
ProxyPass /proxied http://127.0.0.1:$to
<Location "/denied">
    Require all denied
</Location>
ManagerMinAge 1ms
ManagerLameDuck 1h
KeepAliveTimeout 20
ManagerStrikes 8
ManagerMaxMemoryActive 150M
ManagerMaxMemoryIdle 150M
END
    $s->start;
    for my $path (sort keys %answers) {
        my $head = head($s, $path);
        like($head, qr{\AHTTP/1\.1 $answers{$path} }, "$mpm: $path");
        unlike($head, qr/^Connection: close/mi, 'keeps the connection');
    }
    # It keeps its client, or prefork would ask it at once.  The strikes are
    # for ticks before it is answered.
    my $kept = AMGR::Request->new($s->port, "GET /app/leak?mb=200 HTTP/1.1\r\n"
                                  . "Host: 127.0.0.1\r\n\r\n");
    ok(wait_until(sub { $kept->pump(0); $kept->bytes =~ /kept=200/ }, 30,
                  'an answer'), "$mpm: 200 MB leaked");
    ok(wait_until(sub {
        $s->log_lines(qr/AMGR0001: .*, announced$/);
    }, 30, 'a decision'), "$mpm: announced");
    unlike($kept->bytes, qr/^Connection: close/mi, 'its client keeps it');
    $kept->{out} .= "GET /missing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    ok($kept->wait(30), "$mpm: the next answer ends the connection");
    like($kept->bytes, qr{^HTTP/1\.1 404 .*^Connection: close\r$}msi,
         'and says so');
    # On prefork another child serves the others.
    for my $path ($mpm eq 'prefork' ? () : sort keys %answers) {
        my $head = head($s, $path);
        like($head, qr{\AHTTP/1\.1 $answers{$path} }, "$mpm: $path then");
        like($head, qr/^Connection: close\r$/mi, 'says close') or diag($head);
        is(scalar(() = $head =~ /^Connection:/mig), 1, 'and nothing else');
    }
    $s->expect_log(qr/\[authz_core:error\]/, qr/\[mpm_\w+:error\]/);
    $s->stop_ok;
    $back->stop_ok;
}
done_testing();
