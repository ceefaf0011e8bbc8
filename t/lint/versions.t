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
    [AMGR_SUPERVISOR_RECORD_VERSION => 'src/httpd/supervisor_record.h', '4',
     'dbb2d9f6bfbb', qw(amgr_supervisor_record_t)],
    [AMGR_RUNTIME_VERSION => 'src/httpd/runtime.c', '5', '76216e71dbb8',
     qw(amgr_runtime_t amgr_children_t)],
    [AMGR_NOTES_VERSION => 'src/httpd/runtime.h', '1', 'b24b98b42cbc',
     qw(amgr_mailbox_cell_t amgr_mailbox_slot_t amgr_mailbox_stream_t
        amgr_budgets_t amgr_phase_e amgr_counts_e)],
    [AMGR_SERVER_START_VERSION => 'src/httpd/server_start.h', '1',
     '066aea764801', qw(amgr_server_start_t)],
    [AMGR_BOARD_VERSION => 'src/action/board.h', '1', '5592ffebb11f',
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

# How a note is packed is in no declaration.
my $note = without_comments(slurp('src/policy/budget.c'));
$note = join ' ', $note =~ /^(#define \w+_(?:BITS|AT) .*)$/mg;
is(digest($note), '1c4233fd088d', 'how notes are packed is the same')
    or diag('raise AMGR_NOTES_VERSION and note this');

# What every build takes over of another's records, by its place and for ever: all
# before the member that is named here, with whatever that uses.
my @heads = (
    [amgr_supervisor_record_t => 'int passing;', '8b6502515084'],
    [amgr_runtime_t => 'amgr_board_owner_t owner;', 'b0268efd8ef6'],
    [amgr_children_t => 'amgr_child_t child[];', 'ca00e50cde60'],
    [amgr_child_t => '}', 'f96f1658c82c'],
);

for my $entry (@heads) {
    my ($type, $behind, $noted) = @$entry;
    my ($head) = $declared{$type} =~ /\{ (.*?)\Q$behind\E/
        or die "$type has no $behind\n";
    my $all = join "\n", $head, closure($head =~ /\b((?:amgr|AMGR)_\w+)\b/g);
    is(digest($all), $noted, "what every build takes over of $type is the same")
        or diag('what is added has to stand behind it');
}
done_testing();
