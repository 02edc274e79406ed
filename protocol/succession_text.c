#include "protocol/succession.h"

const char *succession_fault_text(enum succession_fault fault)
{
    static const char *const texts[SUCCESSION_FAULTS_COUNT] = {
        [SUCCESSION_GOOD] = "this may be signed",
        [SUCCESSION_NOBODY] = "no node that has a configuration answers",
        [SUCCESSION_FOREIGN] = "a node follows another history of this cluster",
        [SUCCESSION_EQUIVOCATION] =
            "two configurations have one number: stop, and keep everything",
        [SUCCESSION_KIND] = "this change is not the operator's to sign",
        [SUCCESSION_UNKNOWN_NODE] =
            "the node does not stand where this would take it from",
        [SUCCESSION_PRIMARY_SILENT] =
            "the primary must state this, and does not answer as the one who "
            "leads",
        [SUCCESSION_PRIMARY_LIVES] =
            "the primary leads: hand over with switchover, or stop it first",
        [SUCCESSION_SILENT] = "the node does not answer",
        [SUCCESSION_LOST] = "the node lacks entries that it had acknowledged, "
                            "or they are damaged",
        [SUCCESSION_BEHIND] =
            "the node lacks entries that others know are committed, or the "
            "newest configuration: deliver that first",
        [SUCCESSION_NOT_ACKED] =
            "V5: the primary has no live acknowledgement from the node",
        [SUCCESSION_NOT_SEALED] =
            "the primary has not stopped, or not everything is committed yet",
        [SUCCESSION_NO_NEED] =
            "a member answers and is whole: nothing must be lost or recovered",
        [SUCCESSION_EPOCHS] = "the epochs are used up",
        [SUCCESSION_CONFIG] = "the configuration would break a rule",
    };

    REQUIRE(fault < SUCCESSION_FAULTS_COUNT);
    return texts[fault];
}

const char *succession_fault_text_az(enum succession_fault fault)
{
    static const char *const texts[SUCCESSION_FAULTS_COUNT] = {
        [SUCCESSION_GOOD] = "bu imzalana bilər",
        [SUCCESSION_NOBODY] = "tərkibi olan heç bir qovşaq cavab vermir",
        [SUCCESSION_FOREIGN] = "bir qovşaq bu klasterin başqa tarixçəsindədir",
        [SUCCESSION_EQUIVOCATION] =
            "iki tərkibin nömrəsi eynidir: dayanın və hər şeyi saxlayın",
        [SUCCESSION_KIND] = "bu dəyişikliyi operator imzalamır",
        [SUCCESSION_UNKNOWN_NODE] =
            "qovşaq bu dəyişikliyin tələb etdiyi yerdə deyil",
        [SUCCESSION_PRIMARY_SILENT] =
            "bunu əsas qovşaq bəyan etməlidir, o isə rəhbər kimi cavab vermir",
        [SUCCESSION_PRIMARY_LIVES] =
            "əsas qovşaq işləyir: switchover ilə təhvil alın və ya dayandırın",
        [SUCCESSION_SILENT] = "qovşaq cavab vermir",
        [SUCCESSION_LOST] =
            "qovşaqda təsdiq etdiyi yazılar çatışmır və ya zədələnib",
        [SUCCESSION_BEHIND] =
            "qovşaqda qəti yazılar və ya ən yeni tərkib çatışmır: onu çatdırın",
        [SUCCESSION_NOT_ACKED] =
            "V5: əsas qovşaqda bu qovşağın canlı təsdiqi yoxdur",
        [SUCCESSION_NOT_SEALED] =
            "əsas qovşaq dayanmayıb və ya hələ hər şey qəti deyil",
        [SUCCESSION_NO_NEED] =
            "cavab verən bütöv üzv var: itkiyə və bərpaya ehtiyac yoxdur",
        [SUCCESSION_EPOCHS] = "dövrlər bitib",
        [SUCCESSION_CONFIG] = "tərkib bir qaydanı pozardı",
    };

    REQUIRE(fault < SUCCESSION_FAULTS_COUNT);
    return texts[fault];
}
