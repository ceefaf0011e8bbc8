#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The agent's user parameters on files of ours, with a shell and awk as the
# agent runs them; the real agents are t/httpd/830-zabbix-*.t's matter.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp);
use File::Temp ();
use JSON::PP ();
use Test::More;

# Names that are the same number, or hardly differ.
my @names = ('native', '1', '01', '1.0', '+1', '1e0', '0x1', 'inf', 'a b');
my @lines = ("busy-workers\t7", "uptime\t12", "9\t3", "9.0\t4");
my %want;
for my $name (@names) {
    $want{$name} = 100 + keys %want;
    push @lines, "memory-usage\t$name\tmax\t$want{$name}",
        "memory-usage\t$name\tcount\t1";
}
my $dir = File::Temp->newdir(TEMPLATE => 'amgr-parameters-XXXXXX',
                             TMPDIR => 1);
my $file = "$dir/data.txt";
write_file(join "\n", @lines, '');
my %command = commands();

is(ask('apache-manager.worker-metrics', $_, 'max'), $want{$_},
   "the group $_ is itself") for @names;
is(ask('apache-manager.worker-metrics', $_, 'max'), '', "there is no $_")
    for '001', '2', 'nativ', '';
is(ask('apache-manager.worker-metrics', 'native', $_), '', "no figure '$_'")
    for 'ma', '', '1';
is(ask('apache-manager.server-metrics', 'busy-workers'), 7, 'a figure');
is(ask('apache-manager.server-metrics', '9'), 3, 'a figure by a number');
is(ask('apache-manager.server-metrics', '09'), '', 'and not by its value');
is(ask('apache-manager.server-metrics', 'memory-usage'), '',
   'a line of a group is no figure');
is_deeply(JSON::PP->new->decode(ask('apache-manager.discovery')),
          { data => [map { { '{#NAME}' => $_ } } @names] }, 'all are found');
like(ask('apache-manager.file-age'), qr/^\d\d?$/, 'the age');

write_file('');
is(ask('apache-manager.discovery'), '', 'an empty file has no list of groups');
unlink $file or die "$file: $!\n";
is(ask('apache-manager.file-age'), -1, 'no file');
is(ask('apache-manager.discovery'), '', 'nothing is found in it');
done_testing();

sub write_file {
    my ($text) = @_;
    open my $fh, '>', $file or die "$file: $!\n";
    print {$fh} $text;
    close $fh or die "$file: $!\n";
    return;
}

# { key => [command, whether it takes parameters] }
sub commands {
    my $text = slurp('conf/zabbix/userparameter_apache_manager.conf');
    $text =~ s{/run/apache2/apache-manager\.txt}{$file}g
        or die "no path in the user parameters\n";
    return map { /^UserParameter=([a-z.-]+)(\[\*\])?,(.*)/
                 ? ($1 => [$3, $2]) : () } split /\n/, $text;
}

# What is printed for this key with these parameters.
sub ask {
    my ($key, @parameters) = @_;
    my ($command, $flexible) = @{ $command{$key} // die "no key $key\n" };
    $command =~ s/\$(\$|[1-9])/$1 eq '$' ? '$' : $parameters[$1 - 1] \/\/ ''/ge
        if $flexible;
    open my $pipe, '-|', '/bin/sh', '-c', $command or die "sh: $!\n";
    my $text = do { local $/; <$pipe> } // '';
    close $pipe;
    chomp $text;
    return $text;
}
