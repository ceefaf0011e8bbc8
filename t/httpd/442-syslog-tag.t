#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# An error log in syslog: the lines of ticker and supervisor bear the tag and
# the facility that ErrorLog asks for, as httpd's own do, also after lines of
# ManagerSyslog, which have theirs; and those of other modules' verifiers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Syslog;
use Apache::Test qw(-withtestmore);

use constant SOON => 60;

# A server whose log is what its syslog was sent.
package Logged {
    our @ISA = ('AMGR::Httpd');

    sub log_text {
        my ($self) = @_;
        my $syslog = $self->{syslog} // return '';
        return join '', map { s/\0?\z/\n/r } $syslog->datagrams;
    }
}

# What it sends before somebody reads has to fit a short queue.
sub server {
    my ($name, $error_log) = @_;
    my $s = Logged->new(mpm => 'prefork', modules => ['wsgi'], name => $name,
                        interval => '300ms',
                        log_level => 'notice apache_manager:info');
    AMGR::Managed::prepare($s);
    my $script = $s->wsgi_script;
    my $verifier = $s->build_object('mod_verifier');
    $s->{config} = "LoadModule verifier_module $verifier\n$error_log\n"
        . AMGR::Managed::section($s, 'web', 'Verify loud') . <<"END";
ManagerSyslog On
ManagerMinAge 200ms
ManagerMaxMemoryIdle 150M
WSGIScriptAlias /app $script
END
    $s->{syslog} = AMGR::Syslog->new($s);
    return $s->start;
}

sub retired {
    my ($s) = @_;
    my $name = $s->name;
    AMGR::Case::Retire::grow_up($s);
    my $pid = AMGR::Case::Retire::leak($s, 200);
    ok(wait_until(sub { $s->log_lines(qr/AMGR0017: native worker $pid /) },
                  SOON, 'its end'), "$name: a worker is retired");
    return;
}

for my $case (
    ['whole',    'ErrorLog syslog:local3:site-a', 19, 'site-a'],
    ['tag',      'ErrorLog syslog::site-b',       23, 'site-b'],
    ['facility', 'ErrorLog syslog:daemon',        3,  qr/apache2|httpd/],
    ['another',  "ErrorLog syslog:local3:site-a\n<VirtualHost 127.0.0.1:1>\n"
                 . "ErrorLog syslog:local5:site-c\n</VirtualHost>\n"
                 . "<VirtualHost 127.0.0.1:2>\n"
                 . "ErrorLog syslog:local3:site-a\n</VirtualHost>", 21,
                 'site-c'],
) {
    my ($name, $error_log, $facility, $tag) = @$case;
    my $s = server($name, $error_log);
    AMGR::Managed::wait_for($s, 'web', 'READY');
    retired($s) for 1 .. 2;
    my @lines = $s->log_lines;
    my @own = grep { /: NOTICE Killing / } @lines;
    is(scalar(grep { /\A<12>.{15} apache-manager\[\d+\]: / } @own), 2,
       "$name: ManagerSyslog has its own tag") or diag(explain(\@own));
    my @rest = grep { !/: NOTICE Killing / } @lines;
    my @other = grep { !/\A<(\d+)>.{15} $tag\[\d+\]: /
                       || $1 >> 3 != $facility } @rest;
    is_deeply(\@other, [], "$name: all others have that of the error log");
    my $ticker = $s->ticker_pid;
    is(scalar(grep { /\[$ticker\]: .*AMGR00(?:01|17): / } @rest), 4,
       "$name: the ticker has its lines");
    my ($supervisor) = map { /AMGR\d{4}: supervisor (\d+) started/ } @rest;
    cmp_ok(scalar(grep { /\[$supervisor\]: .*AMGR\d{4}: / } @rest), '>', 0,
           "$name: and the supervisor") or diag(explain(\@rest));
    is(scalar(grep { / verifier loud is asked/ } @rest), 1,
       "$name: and another module's verifier");
    $s->stop_ok;
}
done_testing();
