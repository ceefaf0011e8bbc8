#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Orders are taken below a <Location> with a plain path alone: wherever else
# the handler is set, its place is not known, and any end of an address, one
# that all the world may read included, could stand before that of an order, or
# of what not everybody may read.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use HTTP::Request ();
use JSON::PP ();

use constant REFUSED => qr/AMGR0045: order over HTTP refused: /;

my $s = AMGR::Httpd->new(mpm => 'event');
$s->{ports} = { map { $_ => AMGR::Httpd::free_port() }
                qw(server root pattern pymanager) };

# Reading and ordering are for nobody, readiness is for all the world.
sub closed {
    my ($begin, $place, $end) = @_;
    return <<"END";
$begin
    SetHandler manager-status
    ManagerControl On
    Require all denied
$end
<Location "$place/ready">
    Require all granted
</Location>
END
}

sub host {
    my ($name, $lines) = @_;
    my $port = $s->{ports}{$name};
    return <<"END";
Listen 127.0.0.1:$port
<VirtualHost 127.0.0.1:$port>
    DirectoryIndex disabled
    $lines
</VirtualHost>
END
}

sub config {
    my $dir = $s->path('htdocs');
    mkdir "$dir/dir" or die "$dir/dir: $!\n";
    return <<"END" . host(server => <<'SERVER') . host(root => <<'ROOT')
DirectoryIndex disabled
@{[closed('<LocationMatch "^/match">', '/match', '</LocationMatch>')]}
@{[closed('<Location ~ "^/tilde">', '/tilde', '</Location>')]}
@{[map { closed(qq(<Location "/w*d@{['/*' x $_]}">), '/wild', '</Location>') }
       1 .. 6]}
@{[closed(qq(<Directory "$dir/dir">), '/dir', '</Directory>')]}
<If "%{REQUEST_URI} =~ m#^/if#">
    SetHandler manager-status
    ManagerControl On
</If>
<Location "/if">
    Require all denied
</Location>
<Location "/if/ready">
    Require all granted
</Location>
<LocationMatch "^/open">
    SetHandler manager-status
    ManagerControl On
    Require all granted
</LocationMatch>
<Location "/plain">
    SetHandler manager-status
    ManagerControl On
    Require all denied
</Location>
<Location "/plain/ready">
    Require all granted
</Location>
<Location "/plain/processes">
    Require all granted
</Location>
<ManagedProcess web>
    Command /bin/sleep 1000
    PassEnv AMGR_TEST_SERVER
</ManagedProcess>
END
SetHandler manager-status
ManagerControl On
<Location "/">
    Require all denied
</Location>
<Location "/ready">
    Require all granted
</Location>
SERVER
<Location "/">
    SetHandler manager-status
    ManagerControl On
    Require local
</Location>
ROOT
        . host(pattern => <<'PATTERN') . host(pymanager => <<'PYMANAGER');
<LocationMatch "^/">
    SetHandler manager-status
    ManagerControl pymanager
    Require all granted
</LocationMatch>
PATTERN
<Location "/">
    SetHandler manager-status
    ManagerControl pymanager
    Require local
</Location>
PYMANAGER
}

sub ask {
    my ($method, $host, $path, @headers) = @_;
    my $port = $host eq '' ? $s->port : $s->{ports}{$host};
    return $s->agent->request(HTTP::Request->new($method,
        "http://127.0.0.1:$port$path", [@headers]));
}

sub decode { return JSON::PP->new->utf8->decode($_[0]->content) }

# Nothing but what says that it is none, and one line of it where it is an
# order.
sub refused {
    my ($what, $method, @asked) = @_;
    $s->mark_log;
    my $answer = ask($method, @asked);
    if ($method eq 'GET') {
        is($answer->code, 404, "$what: $method $asked[1]");
        return;
    }
    is($answer->code, 403, "$what: $method $asked[1]");
    my $error = decode($answer)->{error};
    like(ref $error ? $error->{message} : $error,
         qr/<Location> with a plain path/, "$what: why not");
    is(scalar(() = $s->log_lines(REFUSED)), 1, "$what: in the log");
    return;
}

$s->set_config(config());
# AH01630: httpd's own words for what Require keeps out.
$s->expect_log(REFUSED, qr/AH01630: client denied by server configuration/);
$s->start;

my ($web, $token);
sub look {
    my $list = decode(ask(GET => '', '/plain/processes'));
    ($web) = grep { $_->{name} eq 'web' } @{ $list->{processes} };
    return $token = $list->{token};
}
ok(wait_until(sub { look() && $web->{ready} }, 30, 'it is ready'),
   'a place that is known: processes and token');
my $pid = $web->{pid};
my @token = ('X-Manager-Token' => $token);

# ---- below a place that is not known ---------------------------------------

my @places = ((map { ['', "/$_"] } qw(match tilde wild dir if)),
              ['server', '']);
for (@places) {
    my ($host, $place) = @$_;
    my $what = $host || $place;
    is(ask(GET => $host, "$place/processes")->code, 403, "$what: is closed");
    is(ask(GET => $host, "$place/ready")->code, 200, "$what: is ready");
    refused($what, GET => $host, "$place/ready/processes");
    refused($what, DELETE => $host, "$place/ready/processes", @token);
    refused($what, POST => $host, "$place/ready/processes/web/stop", @token);
    refused($what, POST => $host, "$place/ready/x/processes/web/stop", @token);
    refused($what, GET => $host, "$place/ready/$_")
        for '', '?auto', qw(x status.json metrics ready x/status.json);
}

my $answer = ask(GET => '', '/open');
is($answer->code, 200, 'the page is there all the same');
unlike($answer->content, qr/$token|stop-web/, 'without its buttons');
is(ask(GET => '', "/open/$_")->code, 200, "/open/$_ is there")
    for qw(metrics ready status.json);
refused('open', GET => '', '/open/processes');
refused('open', POST => '', '/open/processes/web/stop', @token);

refused('pymanager', $_->[0] => 'pattern', $_->[1])
    for [GET => '/'], [GET => '/status'], [DELETE => '/'],
        [POST => '/restart/1'];

# ---- below one that is ------------------------------------------------------

is(ask(GET => '', '/plain/metrics')->code, 403, 'a plain place is closed');
is(ask($_->[0] => '', "/plain/ready/$_->[1]", @token)->code, 404,
   "$_->[0] $_->[1]: there is nothing below its readiness")
    for [GET => ''], [GET => 'status.json'], [GET => 'processes'],
        [DELETE => 'processes'],
        [POST => 'processes/web/stop'];

is(ask(GET => 'root', '/')->code, 200, 'a page that is all of its host');
like(ask(GET => 'root', '/')->content,
     qr{formaction="/processes/web/stop"}, 'has its buttons');
is(ask(GET => 'root', '/assets/page.css')->code, 200, 'and its assets');
is(decode(ask(GET => 'root', '/processes'))->{token}, $token, 'the token');
is(ask(GET => 'root', '/x/processes')->code, 404, 'at no other address');
is(ask(POST => 'root', '/processes/web/start', @token)->code, 202, 'an order');
is(ask(GET => 'pymanager', '/status')->code, 200, q(pymanager's addresses));

look();
is($web->{pid}, $pid, 'nothing that was refused was done');
is(ask(POST => 'pymanager', '/restart/1')->code, 200, 'an order of its');
look();
isnt($web->{pid}, $pid, 'and this was');
$s->stop_ok;
done_testing();
