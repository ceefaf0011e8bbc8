#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Of an error log in syslog httpd drops what is below LogLevel, notices too,
# which it writes to a file whatever LogLevel says: where that is most of what
# this module has to tell, it is said at the start.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::Syslog;
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

my $warning = qr/AMGR0046: ErrorLog syslog: /;

# A server that says at notice that it is up, whose log is a file or what its
# syslog was sent.
sub server {
    my ($name, $error_log, $level, $config) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name,
                             log_level => "warn mpm_event:notice $level");
    AMGR::Managed::prepare($s);
    $s->{config} = ($error_log ? "$error_log\n" : '')
        . ($config =~ /^web$/ ? AMGR::Managed::section($s, 'web') : $config);
    $s->{syslog} = AMGR::Syslog->new($s) if $error_log;
    $s->{syslog}->write_to($s->log_file) if $error_log;
    $s->expect_log($warning);
    return $s->start;
}

my $limit = "ManagerMaxTime 1h\nManagerDryRun On\n";
my $notice = 'apache_manager:notice';
for my $case (
    [1, 'ErrorLog syslog', '', 'web'],
    [1, 'ErrorLog syslog:local3', '', $limit],
    [1, 'ErrorLog syslog', 'apache_manager:warn', $limit],
    [0, 'ErrorLog syslog', $notice, 'web'],
    [0, 'ErrorLog syslog', 'apache_manager:debug', $limit],
    [0, 'ErrorLog syslog', '', ''],
    [0, 'ErrorLog syslog', '', "ManagerSyslog On\n$limit"],
    [1, 'ErrorLog syslog', '', "ManagerSyslog On\n<ManagedProcess web>\n"
        . "Command /bin/sleep 1000\nPassEnv AMGR_TEST_SERVER\n"
        . "</ManagedProcess>\n"],
    [0, '', '', 'web'],
) {
    my ($warned, $error_log, $level, $config) = @$case;
    (my $name = join ' ', grep { length } $error_log || 'a file', $level,
        $config) =~ s/\s+/ /g;
    my $s = server($name, $error_log, $level, $config);
    is(scalar(() = $s->log_lines($warning)), $warned,
       "$name: " . ($warned ? 'warned of' : 'fine'));
    if ($config eq 'web') {
        AMGR::Managed::wait_for($s, 'web', 'READY');
        my $is_told = sub { $s->log_lines(qr/AMGR0034: process web: .* READY/) };
        # In a file it stands before anybody can know of it.
        ok($warned ? !$is_told->()
                   : wait_until($is_told, SOON, 'a line of its state'),
           "$name: a notice is " . ($warned ? 'dropped' : 'there'));
    }
    $s->stop_ok;
}
done_testing();
