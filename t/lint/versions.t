#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What lives longer than one build of the module, over a graceful restart into
# another: records in the process's pool, shared memory, the supervisor and what
# is sent to it.  Each has a version, which is raised whenever its declarations
# change, those that they use included; a digest of all of them, noted here,
# tells that they did.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(slurp sources without_comments);
use Digest::SHA qw(sha256_hex);
use Test::More;

# The version, its file, its value and the digest of the last change, and what
# it stands for.  Where a size is checked as well, one that has only grown at
# its end needs no other version: its digest is noted, and no more.
my @versions = (
    [AMGR_PARENT_VERSION => 'src/supervise/supervisor.h', '2',
     'ba8c83639230', qw(amgr_parent_message_t amgr_parent_word_e)],
    [AMGR_SUPERVISOR_RECORD_VERSION => 'src/httpd/supervisor_record.h', '3',
     'd011148e3837', qw(amgr_supervisor_record_t)],
    [AMGR_RUNTIME_VERSION => 'src/httpd/runtime.c', '4', 'f2f992ee6e6f',
     qw(amgr_runtime_t amgr_children_t)],
    [AMGR_SERVER_START_VERSION => 'src/httpd/server_start.h', '1',
     '066aea764801', qw(amgr_server_start_t)],
    [AMGR_BOARD_VERSION => 'src/action/board.h', '1', '89e7d30689a2',
     qw(amgr_board_t amgr_board_config_region_t amgr_board_tick_t
        amgr_board_records_t amgr_board_evidences_t amgr_board_history_t
        amgr_board_managed_t amgr_process_t amgr_slot_t amgr_counters_t
        amgr_orders_t amgr_ledger_t amgr_ledger_process_t amgr_ledger_slot_t)],
    [AMGR_VERIFIER_VERSION => 'src/httpd/mod_apache_manager.h', '"1"',
     '541074e3e412', qw(amgr_verifier_t)],
);

# By name, each declaration with blanks made one, an enum's by its words, too;
# and the enums that are named beside it, as those are of which it has numbers.
my (%declared, %beside);
for my $file (sources()) {
    my $source = slurp($file);
    my $text = without_comments($source);
    while ($text =~ /^((?:typedef\s+)?(?:struct|union|enum)\s+(\w+)\s*
                      (\{(?:[^{}]|(?3))*\})[^;]*;)
                     |^(\#define\s+(AMGR_\w+)[ ]+(?:[^\\\n]|\\\n|\\.)*)/gmx) {
        my ($whole, $name) = defined $2 ? ($1, $2) : ($4, $5);
        my @beside = substr($source, $-[0], $+[0] - $-[0])
            =~ /\b(amgr_\w+_e)\b/g;
        my @names = $whole =~ /^(?:typedef\s+)?enum/
            ? ($name, $whole =~ /\b(AMGR_\w+)\s*(?:=[^,}]*)?[,}]/g) : $name;
        $whole =~ s/[\s\\]+/ /g;
        $whole =~ s/ $//;
        ($declared{$_}, $beside{$_}) = ($whole, \@beside) for @names;
    }
}

# All that these names stand for, and whatever that uses.
sub closure {
    my (@left) = @_;
    my (%seen, %found);
    while (defined(my $name = shift @left)) {
        next if $seen{$name}++ || !defined $declared{$name};
        $found{ $declared{$name} } = 1;
        push @left, @{ $beside{$name} },
            $declared{$name} =~ /\b((?:amgr|AMGR)_\w+)\b/g;
    }
    return join "\n", sort keys %found;
}

sub digest { return substr sha256_hex($_[0]), 0, 12 }

for my $entry (@versions) {
    my ($version, $file, $value, $noted, @roots) = @$entry;
    my ($is) = slurp($file) =~ /^#define $version (\S+)$/m;
    is($is, $value, "$version of $file is the one that is noted here");
    is(join(' ', grep { !defined $declared{$_} } @roots), '',
       'all that it stands for is declared');
    my $all = closure(@roots);
    is(digest($all), $noted, 'which has not changed since')
        or diag("raise $version in $file, then note that and this digest");
}

# What the supervisor is sent is read by one of another build.
my $pack = without_comments(slurp('src/supervise/spec/spec_pack.c'));
$pack =~ s/\s+/ /g;
is(digest($pack), 'ee898d212998', 'how specifications are packed is the same')
    or diag('raise MAGIC, unless any build still reads it, and note this');

# And so is the beginning of its record, by its place: for ever.
my ($record) = $declared{amgr_supervisor_record_t} =~ /\{(.*?)int passing;/
    or die "amgr_supervisor_record_t has no end of what all builds have\n";
is($record =~ s/ //gr, join('', qw(
    apr_uint32_tversion; apr_uint32_tsize; pid_tparent; pid_tpid; intpidfd;
    intfd; inthold_fd; intwait_fd; apr_interval_time_tstop_us;)),
   'what every build takes over of a record stays as it is');
done_testing();
