#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What Require keeps out stays out, whatever way an address is written, whoever
# the client says that it is, and by whatever detour a request comes; no such
# request gives an order; and each answer of the handler, errors too, has the
# headers that keep it from caches and from being taken for something else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use JSON::PP ();

use constant {
    SOON    => 30,
    REFUSED => qr/AMGR0045: order over HTTP refused: /,
    FAR     => '203.0.113.9', # of nobody's
};

# How httpd reads slashes, each in a virtual host.
my %slashes = (
    usual    => '',
    decoded  => 'AllowEncodedSlashes On',
    kept     => 'AllowEncodedSlashes NoDecode',
    unmerged => <<'END',
MergeSlashes Off
AllowEncodedSlashes On
<LocationMatch "^//evil\.example/here">
    SetHandler manager-status
    Require all granted
</LocationMatch>
END
);

my $s = AMGR::Httpd->new(mpm => 'event', modules =>
    [qw(remoteip include rewrite cgid env alias setenvif)]);
my %port = map { $_ => AMGR::Httpd::free_port() } keys %slashes, 'far';

# Reading is for everybody here, but the list, and orders, for nobody.
sub places {
    return <<"END";
DocumentRoot "@{[$s->path('htdocs')]}"
<Location "/on">
    SetHandler manager-status
    ManagerControl On
    Require all granted
</Location>
<Location "/on/processes">
    Require all denied
</Location>
<Location "/closed">
    SetHandler manager-status
    ManagerControl On
    Require all denied
</Location>
END
}

sub host {
    my ($name, $lines) = @_;
    return <<"END";
Listen 127.0.0.1:$port{$name}
<VirtualHost 127.0.0.1:$port{$name}>
$lines
</VirtualHost>
END
}

# Everything that may lead somewhere else without the client's asking for it.
$s->write('htdocs/in.shtml', <<'END');
<!--#include virtual="/closed/processes" -->
<!--#include virtual="/closed/processes/web/stop" -->
<!--#include virtual="/closed/status.json" -->
<!--#include virtual="/on/processes/web/stop" -->
END
$s->write('htdocs/order.shtml',
          '<!--#include virtual="/open/processes/web/stop" -->');
mkdir $s->path('cgi') or die "cgi: $!\n";
$s->write("cgi/$_->[0]", "#!/bin/sh\nprintf 'Location: $_->[1]\\n\\n'\n", 0755)
    for ['list', '/closed/processes'], ['stop', '/open/processes/web/stop'];
my $cgi = $s->path('cgi');
$s->set_config(join('', map { host($_, "$slashes{$_}\n" . places()) }
                    sort keys %slashes)
    . places()
    . host(far => places() . <<"END") . <<"END");
RemoteIPHeader X-Here-I-Am
<Location "/local">
    SetHandler manager-status
    ManagerControl On
    Require local
</Location>
END
<Location "/open">
    SetHandler manager-status
    ManagerControl On
    Require local
</Location>
<Location "/pymanager">
    SetHandler manager-status
    ManagerControl pymanager
    Require local
</Location>
<Location "/errors">
    ErrorDocument 404 /open/processes
    ErrorDocument 405 /open/processes/web/stop
    ErrorDocument 403 /open/processes/web/stop
</Location>
<Location "/errors/secret">
    Require all denied
</Location>
<Location "/styled">
    SetHandler manager-status
    ErrorDocument 404 /index.html
    ErrorDocument 405 "no such method"
</Location>
ScriptAlias "/cgi/" "$cgi/"
<Directory "$cgi">
    Require all granted
</Directory>
ScriptSock "@{[$s->path('run/cgid.sock')]}"
<Files "*.shtml">
    Options +Includes
    SetOutputFilter INCLUDES
</Files>
<ManagedProcess web>
    Command /bin/sleep 1000
    PassEnv AMGR_TEST_SERVER
</ManagedProcess>
END
# AH01630: what Require keeps out; the rest: what no file or program is there for.
$s->expect_log(REFUSED, qr/AH01630: /, qr/AH10244: invalid URI path/,
               qr/unable to include|AH00128|AH00127|AH02430/);
$s->start;

my ($web, $token);
sub look {
    my $list = $s->json('/open/processes');
    $token = $list->{token};
    return ($web) = grep { $_->{name} eq 'web' && $_->{ready} }
        @{ $list->{processes} };
}
ok(wait_until(\&look, SOON, 'it is ready'), 'a process is ready');
my $pid = $web->{pid};

sub unharmed {
    my ($what) = @_;
    my $now = wait_until(sub { look() && $web }, SOON, 'web is ready');
    return is($now && $now->{pid}, $pid, "$what: no order was obeyed");
}

# The bytes that come back of a request to this port.
sub raw {
    my ($port, $bytes) = @_;
    my $request = AMGR::Request->new($port, $bytes);
    $request->wait(SOON);
    return $request->bytes;
}

# Nothing of a list, a token or a whole answer is in these bytes.
sub keeps_out {
    my ($bytes, $what) = @_;
    (my $shown = $what) =~ s/[^ -~]/?/g;
    my $ok = $bytes =~ m{\AHTTP/1\.1 (?:40[0134]|405|414|501|505) }
        && $bytes !~ /$token|"processes"|\b$pid\b/;
    ok($ok, $shown) or diag(substr $bytes, 0, 300);
    return;
}

# ---- ways to write an address ------------------------------------------------

my @lists = (qw(
    /on/processes /on/processes/ /on//processes //on/processes /on/./processes
    /on/x/../processes /x/../on/processes /on/%70rocesses /on%2fprocesses
    /on%2Fprocesses /on/%2fprocesses /on/%2e/processes /on/x/%2e%2e/processes
    /on/x%2f..%2fprocesses /on/..%2fon%2fprocesses /on/processes%2f
    /on/processes/. /on/processes/x/..
    /on/processes;x /on;x/processes /on/;/processes /on/processes%3bx
    /on/processes%00 /on/processes%00.html /on/processes%20 /on/processes%0a
    /on/processes. /on/processes%23 /on/processes%3f /on/processes%253f
    /on/%252e%252e/on/processes /on/PROCESSES /ON/processes
    /on\\processes /on/%5cprocesses /on/ready/../processes
    /on/ready/processes /on/status.json/processes /on/processes?x=/on/ready
    /on/processes?auto /on/ready%2f..%2fprocesses /on/metrics/..%2fprocesses
    /on/ready//..//processes /on/%c0%afprocesses /on/%e0%80%afprocesses
    /closed/status.json /closed//status.json /closed%2fstatus.json
    /closed/ready /closed/. /closed/x/.. //closed /%63losed /closed/%2e
    /closed;x/status.json /on/../closed/metrics /closed?auto
));

# What an order is written to; what is not written there has the same tail.
my @orders = map { my $at = $_; map { "$at/$_" } 'web/stop', 'web/restart' }
    qw(/on/processes /on//processes /on/./processes /on%2fprocesses
       /on/x/../processes /on/processes/. /on/ready/processes /closed/processes
       /closed//processes //closed/processes);
push @orders, qw(/on/processes%2fweb%2fstop /on/processes/web%2fstop
    /on/processes/web//stop /on/processes//web/stop /on/processes/web/stop/
    /on/processes/web/stop;x /on/processes/web;x/stop /on/processes/web/./stop
    /on/processes/./web/stop /on/processes/web/stop%00 /on/processes/web/STOP
    /on/processes/x/../web/stop /on/processes/web/stop?x);

for my $name (sort keys %slashes) {
    my $end = "Host: 127.0.0.1:$port{$name}\r\nConnection: close\r\n";
    for my $path (@lists) {
        keeps_out(raw($port{$name}, "GET $path HTTP/1.1\r\n$end\r\n"),
                  "$name: GET $path");
    }
    for my $path (@orders) {
        keeps_out(raw($port{$name}, "POST $path HTTP/1.1\r\n$end"
                      . "X-Manager-Token: $token\r\nContent-Length: 0\r\n\r\n"),
                  "$name: POST $path");
    }
    keeps_out(raw($port{$name}, "DELETE $_ HTTP/1.1\r\n$end"
                  . "X-Manager-Token: $token\r\n\r\n"), "$name: DELETE $_")
        for grep { m{^/+on} } @lists;
}
unharmed('addresses');

# Whatever the address of a page, none of its links leads to another server, be
# it a page or the refusal of an order.
for (['GET', '/.//evil.example/here'], ['GET', '/x/..//evil.example/here/'],
     ['POST', '/.//evil.example/here/processes/web/stop']) {
    my ($method, $path) = @$_;
    my $bytes = raw($port{unmerged},
        "$method $path HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n"
        . "Content-Length: 0\r\nConnection: close\r\n\r\n");
    my @links = $bytes =~ /\b(?:href|src|action|formaction)="([^"]*)"/g;
    cmp_ok(scalar @links, '>=', 2,
           "$method $path: there are links");
    is_deeply([grep { m{^//} } @links], [], 'to this server alone');
}

# ---- requests out of the ordinary --------------------------------------------

my $on = $port{usual};
my $proof = "X-Manager-Token: $token\r\n";
keeps_out(raw($on, $_->[1]), $_->[0]) for (
    ['HTTP/1.0 without a Host', "GET /on/processes HTTP/1.0\r\n\r\n"],
    ['an order so', "POST /on/processes/web/stop HTTP/1.0\r\n$proof\r\n"],
    ['an address of another host',
     "GET http://evil.example/on/processes HTTP/1.1\r\nHost: x\r\n\r\n"],
    ['an address with a user',
     "GET http://127.0.0.1\@evil.example/on/processes HTTP/1.1\r\nHost: x\r\n"
     . "\r\n"],
    ['HEAD', "HEAD /on/processes HTTP/1.0\r\n\r\n"],
    map({ ["the method $_", "$_ /on/processes HTTP/1.0\r\n$proof\r\n"] }
        qw(get Get POST post delete Delete PUT OPTIONS TRACE CONNECT PROPFIND
           GETS)),
    map({ ["the method $_ for an order",
           "$_ /on/processes/web/stop HTTP/1.0\r\n$proof\r\n"] }
        qw(get GET HEAD post Post PUT DELETE OPTIONS TRACE)),
    map({ ["a request with $_", "GET /on/processes HTTP/1.0\r\n$_\r\n\r\n"] }
        'X-Original-URL: /on/ready', 'X-Rewrite-URL: /on/ready',
        'X-Forwarded-For: 127.0.0.1', 'X-HTTP-Method-Override: POST',
        'Authorization: Basic YWRtaW46YWRtaW4=', 'Expect: 100-continue'),
);
unlike(raw($on, "GET /on/processes\r\n"), qr/$token|\b$pid\b/, 'HTTP/0.9');

# Where orders are taken: by no other method than theirs, and by none within
# another.
my $open = sub {
    my ($first, @more) = @_;
    return raw($s->port, join("\r\n", $first, @more, 'Host: 127.0.0.1:'
                              . $s->port, 'Connection: close', '', ''));
};
for my $method (qw(GET HEAD PUT OPTIONS PROPFIND post Post delete Delete TRACE
                   CONNECT)) {
    my @more = ("X-Manager-Token: $token", 'X-HTTP-Method-Override: POST',
                'X-HTTP-Method: POST', 'X-Method-Override: DELETE');
    unlike($open->("$method $_ HTTP/1.1", @more), qr{\AHTTP/1\.1 20[02] },
           "$method $_") for '/open/processes/web/stop?_method=POST',
        $method eq 'GET' || $method eq 'HEAD' ? () : '/open/processes';
}
for (['of HTTP/1.0 without a Host', 'HTTP/1.0'], ['of its own', 'HTTP/1.1'],) {
    my ($what, $protocol) = @$_;
    my $host = $protocol eq 'HTTP/1.1' ? "Host: evil.example\r\n" : '';
    like(raw($s->port, "POST /open/processes/web/stop $protocol\r\n$host"
             . "Sec-Fetch-Site: same-origin\r\n\r\n"), qr{\AHTTP/1\.1 403 },
         "an order $what");
    unlike(raw($s->port, "GET /open/processes $protocol\r\n$host"
               . "Connection: close\r\n\r\n"), qr/$token/,
           "nor is the token for a request $what");
}
unharmed('odd requests');

# ---- who is who ----------------------------------------------------------------

sub far {
    my ($method, $path, @headers) = @_;
    return $s->agent->request(HTTP::Request->new($method,
        "http://127.0.0.1:$port{far}$path", [@headers]));
}
is(far(GET => '/local/processes')->code, 200, 'who is here may read');
for my $claim ([], ['X-Forwarded-For' => '127.0.0.1'], ['X-Real-IP' =>
               '127.0.0.1'], ['Forwarded' => 'for=127.0.0.1'],
               ['Client-IP' => '::1'], ['X-Here-I-Am-Too' => '127.0.0.1'],
               [Host => 'localhost'], [Host => "127.0.0.1:$port{far}"],
               ['X-Forwarded-Host' => 'localhost', Via => '1.1 localhost']) {
    for my $path ('', qw(/ /status.json /metrics /metrics.txt /discovery.json
                         /processes /ready ?auto /assets/page.js)) {
        is(far(GET => "/local$path", 'X-Here-I-Am' => FAR, @$claim)->code, 403,
           "who is elsewhere may not read /local$path, saying '@$claim'");
    }
    is(far(POST => '/local/processes/web/stop', 'X-Here-I-Am' => FAR,
           'X-Manager-Token' => $token, @$claim)->code, 403,
       "nor order, saying '@$claim'");
}
$s->mark_log;
is($s->request(POST => '/open/processes/web/start', 'X-Manager-Token' => $token,
               'X-Forwarded-For' => FAR, 'X-Real-IP' => FAR)->code, 202,
   'an order from here');
like(($s->log_lines(qr/AMGR0044: /))[0], qr/ from 127\.0\.0\.1$/,
     'is from here in the log, too');
unharmed('claims');

# ---- detours --------------------------------------------------------------------

# Included pages: each place has its own word, and an order is none.
my $text = $s->get('/in.shtml')->content;
unlike($text, qr/$token|"processes"|"schema"|\b$pid\b/, 'nothing is included');
for my $method (qw(GET POST DELETE)) {
    unlike($s->request($method => '/order.shtml', 'X-Manager-Token' => $token,
                       Origin => $s->url(''))->content, qr/"state"/,
           "$method: no order is included");
}
# A program sends the request somewhere else.
is($s->get('/cgi/list')->code, 403, 'a program leads to no closed place');
for my $method (qw(GET POST)) {
    is($s->request($method => '/cgi/stop', 'X-Manager-Token' => $token,
                   Origin => $s->url(''))->code, 405,
       "$method: a program gives no order");
}
# The answer to an error is somewhere else.
for my $method (qw(GET POST PUT DELETE)) {
    for my $path (qw(/errors/nope /errors/secret/x)) {
        my $answer = $s->request($method => $path, Origin => $s->url(''),
                                 'X-Manager-Token' => $token);
        unlike($answer->content, qr/"state":"STOP|"application":"shut/,
               "$method $path: no order by an error");
    }
}
unharmed('detours');

# ---- headers ---------------------------------------------------------------------

sub headers_ok {
    my ($answer, $what, $policy) = @_;
    is($answer->header('Cache-Control'), 'no-store', "$what: not kept");
    is($answer->header('X-Content-Type-Options'), 'nosniff',
       "$what: not guessed at");
    my @policies = $answer->header('Content-Security-Policy');
    is(scalar @policies, $policy // 1, "$what: a policy");
    like($policies[0], qr/\Adefault-src 'none'; (?!.*(?:unsafe|\*|http))/,
         "$what: which allows nothing but what is ours") if @policies;
    return;
}

my @proof = ('X-Manager-Token' => $token);
for (['an address that is not there', 404, GET => '/open/nope'],
     ['a closed method', 405, POST => '/open/metrics'],
     ['an unknown method', 405, FOO => '/open'],
     ['a method of an asset', 405, POST => '/open/assets/page.js'],
     ['an asset that is not there', 404, GET => '/open/assets/x.js'],
     ['an order by GET', 405, GET => '/open/processes/web/stop'],
     ['an order without a proof', 403, POST => '/open/processes/web/stop'],
     ['an order of another site', 403, POST => '/open/processes/web/stop',
      @proof, Origin => 'http://evil.example'],
     ['an order for nobody', 404, POST => '/open/processes/x/stop', @proof],
     ['an unknown order', 404, POST => '/open/processes/web/x', @proof],
     ['a wrong wait', 400, POST => '/open/processes/web/start?wait=x', @proof],
     ['an order', 202, POST => '/open/processes/web/start', @proof],
     ['a page after an order', 303, POST => '/open/processes/web/start', @proof,
      Accept => 'text/html'],
     ['a refusal as a page', 403, POST => '/open/processes/web/stop',
      Accept => 'text/html'],
     ['all, by nobody', 403, DELETE => '/open/processes'],
     ["pymanager's list", 200, GET => '/pymanager/'],
     ["pymanager's state", 200, GET => '/pymanager/status'],
     ['nothing of pymanager', 404, GET => '/pymanager/x'],
     ["pymanager's methods", 405, POST => '/pymanager/status'],
     ['an order for nobody of its', 404, POST => '/pymanager/restart/9'],
     ['an order from elsewhere to it', 403, POST => '/pymanager/restart/1',
      Origin => 'http://evil.example'],
     ['readiness', 200, GET => '/open/ready'],
     ['a list', 200, GET => '/open/processes'],
     ['a list of an unknown host', 200, GET => '/open/processes',
      Host => 'evil.example']) {
    my ($what, $code, @asked) = @$_;
    my $answer = $s->request(@asked);
    is($answer->code, $code, $what) or diag($answer->as_string);
    headers_ok($answer, $what);
}
# An administrator's own page for it may look as it likes.
my $answer = $s->get('/styled/nope');
is($answer->code, 404, 'an error with a page of its own');
headers_ok($answer, 'that page', 0);
$answer = $s->request(POST => '/styled');
is($answer->content, 'no such method', 'an error with words of its own');
headers_ok($answer, 'those words', 0);
unharmed('headers');
$s->stop_ok;
done_testing();
