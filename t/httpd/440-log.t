#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Texts of others reach the error log and syslog: request lines, hosts, users,
# what orders are about, names of groups, and what processes and verifiers
# write.  None of them ends a line, begins one, or has a byte that a terminal
# would obey; whoever reads for AMGR tags finds what the module has said alone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Request;
use Apache::Test qw(-withtestmore);
use MIME::Base64 qw(encode_base64);

use constant SOON => 30;

# A line of ours, as somebody would like it to stand there.
my $forged = '[Sun Nov 01 00:00:00.000000 2026] [apache_manager:notice] '
    . '[pid 1:tid 1] AMGR0001: Killing native worker 1 (forged)';
my $evil = "\e]0;x\a\e[2J\x9b2J\r\b\x7f \x{e2}\x{80}\x{ae}\xff\x00"
    =~ s/\x00//r;

my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '300ms', modules =>
    [qw(wsgi auth_basic authn_core authn_anon authz_user)]);
AMGR::Managed::prepare($s);
my $syslog = $s->path('work/syslog');
$s->{env} = { LD_PRELOAD => $s->build_object('syslog'),
              AMGR_SYSLOG => $syslog };
my $script = $s->wsgi_script;
my $lines = $s->write('work/lines', join '', "$evil\n", "\r$forged\n",
                      "a\x{c2}\x{85}$forged\x{e2}\x{80}\x{a8}$forged\n",
                      "no end: $evil");
my $verify = $s->write('work/verify', "#!/bin/sh\ncat $lines\nexit 1\n", 0755);
# What it is called, and shown as; its title is another matter.
my $group = "odd\t\e[31m\x{c2}\x{85} 'AMGR0001. Killing native worker 1";
$s->set_config(<<"END");
HttpProtocolOptions Unsafe
LogLevel apache_manager:debug
ManagerShowRequests Full
ManagerSyslog On
ManagerMinAge 200ms
ManagerMaxTime 1s
ManagerMaxMemoryActive 500M
WSGIDaemonProcess "$group" threads=2 home=/ display-name="odd \e[31m title"
WSGIScriptAlias /odd $script process-group="$group"
WSGIScriptAlias /app $script
<Location "/on">
    SetHandler manager-status
    ManagerControl On
    AuthType Basic
    AuthName x
    AuthBasicProvider anon
    Anonymous *
    Anonymous_MustGiveEmail Off
    Anonymous_LogEmail Off
    Require valid-user
</Location>
<ManagedProcess says>
    Command /bin/sh -c "cat $lines; exec sleep 1000"
    PassEnv AMGR_TEST_SERVER
</ManagedProcess>
<ManagedProcess asked>
    Command /bin/sleep 1000
    PassEnv AMGR_TEST_SERVER
    Verify exec interval=200ms $verify
</ManagedProcess>
END
$s->expect_log(qr/AMGR00(?:13|18|24|36|37|45): /, qr/AH0\d{4}: |AH1\d{4}: /);
$s->start;

# ---- orders ----------------------------------------------------------------

my $list = sub {
    my (@headers) = @_;
    return $s->get('/on/processes', @headers)->content;
};
# A user's name has no colon.
for my $user (map { s/:/./gr } "x\n$forged", "x\r\n$forged", $evil,
              "\x{c2}\x{85}$forged", 'x' x 3000) {
    my @who = (Authorization => 'Basic ' . encode_base64("$user:x", ''));
    my ($token) = $list->(@who) =~ /"token":"(\w+)"/;
    ok($token, 'somebody of an odd name is let in') or next;
    is($s->request(POST => '/on/processes/says/start', @who,
                   'X-Manager-Token' => $token)->code, 202, 'and orders');
    is($s->request(POST => '/on/processes/says/start?wait=1', @who,
                   'X-Manager-Token' => $token)->code, 200, 'and waits');
    is($s->request(POST => '/on/processes/says/start', @who)->code, 403,
       'and is refused');
    is($s->request(POST => "/on/processes/$_/stop", @who,
                   'X-Manager-Token' => $token)->code, 404, 'for nobody')
        for '%0aAMGR0044', '%1b[2J%0d%0a', 'x%e2%80%a8y', '%c2%85%ff%fe';
    $s->request(POST => "/on/processes/%0a%1b$_", @who,
                'X-Manager-Token' => $token) for '', '/', '/x/y', '/kill';
}

# ---- requests --------------------------------------------------------------

# httpd itself refuses control characters in them.
my @held = map {
    AMGR::Request->new($s->port, "GET /app/sleep?s=20&$_ HTTP/1.1\r\n"
        . "Host: x\r\nConnection: close\r\n\r\n")
} map { s/[\x00- \x7f]/_/gr } "%0a$forged", $evil, "\x{c2}\x{85}$forged";
ok(wait_until(sub { (() = $s->log_lines(qr/AMGR0024: /)) >= @held }, 15,
              'lost requests'), 'hanging workers are retired')
    or diag(map { "$_\n" } map { substr $_->bytes, 0, 300 } @held);
$s->get('/odd/leak?mb=600');
ok(wait_until(sub { $s->log_lines(qr/AMGR0017: .*WSGI/) }, 60, 'a daemon'),
   'a daemon with an odd title is retired')
    or diag(map { "$_->{kind} $_->{group} $_->{rss_bytes}\n" }
            @{ $s->json->{processes} });

# ---- processes ---------------------------------------------------------------

ok(wait_until(sub {
    3 <= (() = $s->log_lines(qr/AMGR0037: process says: /))
}, SOON, 'lines'), 'what a process writes is in the log')
    or diag(join "\n", $s->log_lines(qr/process says/));
ok(wait_until(sub { $s->log_lines(qr/AMGR0036: process asked: /) }, SOON,
              'a verifier'), 'and what a verifier says');

# ---- what there is then --------------------------------------------------------

sub is_plain {
    my ($text, $what) = @_;
    my @odd = grep { /[\x00-\x09\x0b-\x1f\x7f-\xff]/ } split /\n/, $text;
    is(scalar @odd, 0, "$what has no byte but of plain text")
        or diag(map { s/([^ -~])/sprintf '<%02x>', ord $1/ger . "\n" } @odd);
    return;
}

my $log = $s->log_text(0);
is_plain($log, 'the log');
my @mine = grep { /AMGR\d{4}: / } split /\n/, $log;
my $head = qr/\A\[\w{3}\ \w{3}\ [\d :.]+\]\ \[apache_manager:\w+\]
              \ \[pid\ \d+(?::tid\ \d+)?\]\ /x;
is(join("\n", grep { !/$head/ || /\A\[[^]]*\] \[apache_manager:\w+\] \[pid 1:/ }
        @mine), '', 'each line with a tag is ours');
is(scalar(grep { /\A\[Sun Nov 01 / } split /\n/, $log), 0,
   'and none is of another day');
my @killed = grep { /$head(?:\(\d+\)[^:]*: )?AMGR0001: / } @mine;
is(scalar(grep { !/AMGR0001: Killing (?:native|WSGI) worker [1-9]\d+ / }
          @killed), 0, 'whoever is killed is told by the module');
# Whatever httpd does with lines, orders are in plain text before it has them.
my @orders = grep { /AMGR004[45]: .* by user x\\\\x0a\[Sun/ } @mine;
cmp_ok(scalar @orders, '>=', 8, 'users of two lines are named in one')
    or diag(map { substr($_, 0, 200) . "\n" } grep { /AMGR004[45]/ } @mine[0 .. 20]);
my $told = AMGR::Httpd::slurp($syslog);
is_plain($told, 'syslog');
is(scalar(grep { !/\Aapache-manager \d+ NOTICE Killing (?:native|WSGI) / }
          split /\n/, $told), 0, 'whose lines begin as ours do');
is(scalar(() = $told =~ /^/mg), scalar(@{ $s->json->{kills} }),
   'one to each retirement');
$_->close_now for @held;
$s->stop_ok;
done_testing();
