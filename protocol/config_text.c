#include "protocol/config.h"

const char *config_fault_text(enum config_fault fault)
{
    static const char *const texts[CONFIG_FAULTS_COUNT] = {
        [CONFIG_GOOD] = "the configuration may follow",
        [CONFIG_V1_NUMBER] = "V1: it is not the next number",
        [CONFIG_V1_PREVIOUS] = "V1: it does not name the one before it",
        [CONFIG_V1_CLUSTER] = "V1: it is of another cluster",
        [CONFIG_V2_EPOCH] = "V2: the epoch must rise with a new term, and only "
                            "then",
        [CONFIG_V3_PRIMARY] = "V3: the primary must be eligible and a member",
        [CONFIG_V4_MINIMUM] = "V4: fewer members than the minimum",
        [CONFIG_V4_MEMBERS] = "V4: the members may not change in this way",
        [CONFIG_V6_ADOPTED] =
            "V6: recovering must end with the primary and one "
            "earlier member",
        [CONFIG_V7_LINEAGE] =
            "V7: only a forced change begins a lineage of its "
            "own",
        [CONFIG_LISTS] = "nodes, eligible nodes or the minimum may not change "
                         "here",
        [CONFIG_WHY] = "what it says is not what it does",
        [CONFIG_BOOT_FORM] = "it is not a first configuration",
    };

    REQUIRE(fault < CONFIG_FAULTS_COUNT);
    return texts[fault];
}

const char *config_fault_text_az(enum config_fault fault)
{
    static const char *const texts[CONFIG_FAULTS_COUNT] = {
        [CONFIG_GOOD] = "tərkib davam edə bilər",
        [CONFIG_V1_NUMBER] = "V1: növbəti nömrə deyil",
        [CONFIG_V1_PREVIOUS] = "V1: əvvəlki tərkibi göstərmir",
        [CONFIG_V1_CLUSTER] = "V1: başqa klasterindir",
        [CONFIG_V2_EPOCH] = "V2: dövr yalnız yeni müddətlə artmalıdır",
        [CONFIG_V3_PRIMARY] = "V3: əsas qovşaq seçilə bilən üzv olmalıdır",
        [CONFIG_V4_MINIMUM] = "V4: üzvlər minimumdan azdır",
        [CONFIG_V4_MEMBERS] = "V4: üzvlər bu cür dəyişə bilməz",
        [CONFIG_V6_ADOPTED] = "V6: bərpa əsas qovşaq və əvvəlki bir üzvlə "
                              "bitməlidir",
        [CONFIG_V7_LINEAGE] = "V7: yeni nəsli yalnız məcburi dəyişiklik "
                              "başlayır",
        [CONFIG_LISTS] = "qovşaqlar, seçilə bilənlər və ya minimum burada "
                         "dəyişə bilməz",
        [CONFIG_WHY] = "deyilən ilə edilən uyğun gəlmir",
        [CONFIG_BOOT_FORM] = "ilk tərkib deyil",
    };

    REQUIRE(fault < CONFIG_FAULTS_COUNT);
    return texts[fault];
}

const char *config_why_name(enum config_why why)
{
    static const char *const names[CONFIG_WHY_MAX + 1] = {
        [CONFIG_BOOT] = "boot",
        [CONFIG_RESTART] = "restart",
        [CONFIG_REMOVE] = "remove",
        [CONFIG_REPLACE] = "replace",
        [CONFIG_ADD] = "add",
        [CONFIG_PROMOTE] = "promote",
        [CONFIG_PROMOTE_VIA] = "promote via",
        [CONFIG_ADOPTED] = "adopted",
        [CONFIG_SWITCHOVER] = "switchover",
        [CONFIG_SETTLE] = "settle",
        [CONFIG_FORCED] = "forced",
        [CONFIG_NODES] = "nodes",
    };

    REQUIRE(why <= CONFIG_WHY_MAX);
    return names[why] != NULL ? names[why] : "none";
}
